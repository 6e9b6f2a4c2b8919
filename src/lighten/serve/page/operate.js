// Changes of versions by an operator: what can be done, a question before it is, and what became of it.
import { el, one } from "./dom.js";
import { say, says, text } from "./say.js";
import { ask, problem } from "./server.js";

const traffic = ({ name }) => `versions/${encodeURIComponent(name)}`;
const repository = (what) => ({ name }) => `v2/repository/models/${encodeURIComponent(name)}/${what}`;
const parameters = ({ version }) => ({ parameters: { version } });
const part = (role) => ({ version, part: of }) => ({ [role]: { version, share: of } });

// Of each change: what its button says, what it does in one line and in full, where it is asked for, and how.
const CHANGES = {
  serve: [["change.serve", "change.serve.title", "change.serve.what"], traffic, ({ version }) => ({ serve: version })],
  rollback: [["change.rollback", "change.rollback.title", "change.serve.what"], traffic, () => ({ rollback: true })],
  canary: [["change.set", "change.canary.title", "change.canary.what"], traffic, part("canary")],
  shadow: [["change.set", "change.shadow.title", "change.shadow.what"], traffic, part("shadow")],
  nocanary: [["change.end", "change.nocanary.title", "change.nocanary.what"], traffic, () => ({ canary: null })],
  noshadow: [["change.end", "change.noshadow.title", "change.noshadow.what"], traffic, () => ({ shadow: null })],
  load: [["change.load", "change.load.title", "change.load.what"], repository("load"), parameters],
  reload: [["change.reload", "change.reload.title", "change.reload.what"], repository("load"), parameters],
  unload: [["change.unload", "change.unload.title", "change.unload.what"], repository("unload"), parameters],
};

const title = (kind, values) => () => text(CHANGES[kind][0][1], values);

// Whether the user wants it, too. Escape and the button on which the focus lies say no.
const sure = (kind, values) => new Promise((resolve) => {
  const dialog = one("#sure");
  say(one("#sure-title"), "change.ask", { what: title(kind, values) });
  say(one("#sure-what"), CHANGES[kind][0][2], values);
  say(one("#sure-yes"), CHANGES[kind][0][0], values);
  one("#sure-yes").onclick = () => dialog.close("yes");
  one("#sure-no").onclick = () => dialog.close("no");
  dialog.returnValue = "no";
  dialog.onclose = () => resolve(dialog.returnValue === "yes");
  dialog.showModal();
  one("#sure-no").focus();
});

// What an operator can do with the versions of one name. refresh: shows how it stands with them now.
export const desk = (name, refresh) => {
  const told = el("p", { class: "note", role: "status", tabindex: -1 }), wrong = el("div", { role: "alert" });
  const buttons = new Set();
  let model = null, busy = false;

  const values = (more) => ({ name, serving: () => model.serve, ...more });
  const lock = (locked) => {
    busy = locked;
    for (const node of buttons) node.disabled = locked;
  };

  const run = async (kind, more, from) => {
    const asked = values(more);
    if (busy || !(await sure(kind, asked))) return;
    const [, path, json] = CHANGES[kind];
    lock(true);
    wrong.replaceChildren();
    say(told, "change.doing", { what: title(kind, asked) });
    try {
      await ask(path(asked), { json: json(asked), patient: true });
      say(told, "change.done", { what: title(kind, asked) });
    } catch (error) {
      say(told, "");
      wrong.replaceChildren(problem(error, () => run(kind, more, from)));
    }
    lock(false);
    await refresh();
    (from.isConnected && !from.hidden ? from : told).focus();
  };

  const button = (kind, more) => {
    const node = says("button", CHANGES[kind][0][0], {}, { type: "button" });
    if (kind !== "rollback") say(node, CHANGES[kind][0][1], values(more()), "label"); // which version is known later
    node.addEventListener("click", () => run(kind, more(), node));
    buttons.add(node);
    return node;
  };

  // Buttons of one version; update shows those that can be pressed.
  const actions = (version) => {
    const nodes = ["serve", "load", "reload", "unload"].map((kind) => [kind, button(kind, () => ({ version }))]);
    const update = (one) => {
      const open = one.state !== "unloaded" && one.state !== "unloading";
      const needed = one.roles.some((role) => role !== "previous");
      const can = { serve: model.serve !== version, load: !open, reload: open, unload: open && !needed };
      for (const [kind, node] of nodes) node.hidden = !can[kind];
    };
    return { node: el("div", { class: "acts" }, nodes.map(([, node]) => node)), update };
  };

  // The canary or the shadow: which version, and its share.
  const form = (role, words, end) => {
    const select = el("select");
    const field = el("input", { type: "number", min: 0.01, max: 100, step: "any", value: 5, required: true });
    const set = says("button", "change.set", {}, { type: "submit" });
    say(field, "change.share", {}, "label");
    buttons.add(set);
    const submit = (event) => {
      event.preventDefault();
      const of = field.valueAsNumber / 100;
      run(role, { version: select.value, part: of, share: `${field.valueAsNumber}%` }, set);
    };
    let known = "", there = null;
    const update = () => {
      const others = model.versions.map((one) => one.version).filter((one) => one !== model.serve);
      const before = select.value, now = model[role];
      if (others.join("\n") !== known) select.replaceChildren(...others.map((one) => el("option", { value: one }, one)));
      if (others.includes(before)) select.value = before;
      if (now && JSON.stringify(now) !== there) {
        [select.value, field.value] = [now.version, Number((100 * now.share).toPrecision(6))];
      }
      [known, there] = [others.join("\n"), JSON.stringify(now)];
      end.hidden = !now;
    };
    const pick = [el("label", { class: "pick" }, says("span", words), select), el("label", { class: "pick" }, field, "%")];
    return { node: el("form", { class: "part", onsubmit: submit, autocomplete: "off" }, pick, set, end), update };
  };

  const back = button("rollback", () => ({ version: model.previous }));
  const forms = [
    form("canary", "change.canary", button("nocanary", () => ({}))),
    form("shadow", "change.shadow", button("noshadow", () => ({}))),
  ];
  const node = el("div", { class: "operate" },
    el("div", { class: "end" }, forms.map((one) => one.node), back), told, wrong);
  const update = (now) => {
    model = now;
    back.hidden = !now.previous;
    say(back, "change.rollback.title", values({ version: now.previous }), "label");
    forms.forEach((one) => one.update());
  };
  return { node, update, actions };
};
