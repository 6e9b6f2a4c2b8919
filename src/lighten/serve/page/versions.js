// Versions of each name: who answers, and how often the shadow would have answered differently.
import { data, el, one } from "./dom.js";
import { bytes, count, share } from "./numbers.js";
import { TONES } from "./live.js";
import { desk as makeDesk } from "./operate.js";
import { ask } from "./server.js";
import { known, say, says, text } from "./say.js";

const EVERY = 3; // looks at the status between two at the versions
let looks = 0, asking = false;

const shares = (model) => ({
  serves: 1 - (model.canary ? model.canary.share : 0),
  canary: model.canary && model.canary.share,
  shadow: model.shadow && model.shadow.share,
});

const roles = (model, version) => version.roles.flatMap((role) => {
  const part = () => share(shares(model)[role] ?? 0, 0);
  return [" ", says("span", `role.${role}`, { share: part }, { class: `badge ${role === "serves" ? "good" : ""}` })];
});

const HEADS = ["state", "answered", "failed", "refused", "memory"];
const VALUES = [
  (version) => count(version.answered), (version) => count(version.failed), (version) => count(version.refused),
  (version) => (version.memory ? bytes(version.memory) : "–"),
];

const cell = (heading, child) =>
  el("td", { class: "num" }, says("span", `versions.${heading}`, {}, { class: "cell-name" }), el("div", {}, child));

// A row of a version, whose parts change in their places: what has the focus keeps it.
const makeRow = (version, desk) => {
  const badge = el("span"), parts = el("span"), failure = el("span", { class: "sub", lang: "en" });
  const numbers = VALUES.map(() => el("span")), actions = desk && desk.actions(version);
  const cells = [badge, ...numbers].map((child, place) => cell(HEADS[place], child));
  const name = el("th", { scope: "row" }, data(version), parts, failure);
  const node = el("tr", {}, name, cells, actions ? el("td", {}, actions.node) : "");
  let shown = "";
  const update = (model, one) => {
    const state = known(`state.${one.state}`) ? `state.${one.state}` : "state.other";
    say(badge, state, { state: one.state }).className = `badge ${TONES[one.state] || ""}`;
    numbers.forEach((number, place) => say(number, "plain", { text: () => VALUES[place](one) }));
    const now = JSON.stringify([one.roles, shares(model)]);
    if (now !== shown) parts.replaceChildren(...roles(model, one));
    shown = now;
    failure.replaceChildren(...(one.failure ? [data(one.failure)] : []));
    failure.hidden = !one.failure;
    if (actions) actions.update(one);
  };
  return { node, update };
};

const percent = (value) => share(value, value > 0.0995 ? 0 : value > 0.00995 ? 1 : 2);

// The bound as a bar between nothing and twice what is possible at the most, with what was seen as a dot.
const interval = (found) => {
  const most = Math.min(1, Math.max(0.01, found.upper * 1.15));
  const at = (value) => `${(100 * Math.min(value, most)) / most}%`;
  const span = el("span", { class: "span" }), dot = el("span", { class: "dot" });
  Object.assign(span.style, { left: at(found.lower), width: `calc(${at(found.upper)} - ${at(found.lower)})` });
  dot.style.left = at(found.share);
  const scale = el("div", { class: "scale" }, el("span", {}, "0%"), el("span", {}, percent(most)));
  return el("div", { class: "interval", "aria-hidden": "true" }, el("div", { class: "axis" }, span, dot), scale);
};

const reasons = (skipped) => Object.entries(skipped)
  .map(([reason, n]) => `${known(`skipped.${reason}`) ? text(`skipped.${reason}`) : reason} ${count(n)}`)
  .join(text("page.comma"));

const disagreement = (found) => {
  const values = {
    shadow: found.shadow, serving: found.serving, reasons: () => reasons(found.skipped),
    requests: () => count(found.requests), inputs: () => count(found.inputs), flips: () => count(found.flips),
    share: () => percent(found.share), lower: () => percent(found.lower), upper: () => percent(found.upper),
    confidence: () => share(found.confidence, 0),
  };
  if (!found.requests) return el("div", { class: "shadow" }, says("p", "shadow.none", values));
  const note = (key) => says("p", key, values, { class: "note" });
  const left = Object.keys(found.skipped).length ? note("shadow.skipped") : "";
  const said = says("p", "shadow.found", values, { class: "found" });
  return el("div", { class: "shadow" }, said, interval(found), note("shadow.bound"), left);
};

const makeCard = (name, versions, operates) => {
  const desk = operates ? makeDesk(name, refresh) : null;
  const rows = new Map(versions.map((version) => [version, makeRow(version, desk)]));
  const heads = HEADS.map((head) => says("th", `versions.${head}`, {}, { scope: "col", class: "num" }));
  const last = operates ? says("th", "versions.change", {}, { scope: "col" }) : "";
  const head = el("thead", {}, el("tr", {}, says("th", "versions.version", {}, { scope: "col" }), heads, last));
  const body = el("tbody", {}, [...rows.values()].map((row) => row.node)), found = el("div");
  const table = el("div", { class: "scroll" }, el("table", { class: "stack" }, head, body));
  const node = el("article", { class: "card versions" }, el("h3", {}, data(name)), table, desk ? desk.node : "", found);
  const update = (model) => {
    if (desk) desk.update(model);
    for (const one of model.versions) rows.get(one.version).update(model, one);
    found.replaceChildren(...(model.disagreement ? [disagreement(model.disagreement)] : []));
  };
  return { node, update };
};

const cards = new Map(); // by name, versions and rights: a server that comes back may have others
let operates = null;

const show = (models) => {
  const id = (model) => JSON.stringify([model.name, operates === true, model.versions.map((one) => one.version)]);
  const present = new Set(models.map(id));
  for (const [key, old] of cards) if (!present.has(key)) { old.node.remove(); cards.delete(key); }
  for (const model of models) {
    const versions = model.versions.map((one) => one.version);
    if (!cards.has(id(model))) {
      cards.set(id(model), makeCard(model.name, versions, operates === true));
      one("#shadows").append(cards.get(id(model)).node);
    }
    cards.get(id(model)).update(model);
  }
  one("#versions").hidden = one('#toc a[href="#versions"]').hidden = !models.length;
  const barred = { false: "versions.barred", null: "versions.fixed" }[operates];
  say(one("#versions-barred"), barred || "");
  one("#versions-barred").hidden = !barred;
};

const refresh = async () => {
  try {
    show((await (await ask("versions")).json()).models.filter((model) => model.versions.length > 1));
    say(one("#versions-lost"), "");
  } catch (error) {
    say(one("#versions-lost"), "versions.lost");
  }
};

export const update = async (status) => {
  const other = operates !== status.operates;
  operates = status.operates;
  looks = other ? 1 : looks + 1;
  if (asking || (looks - 1) % EVERY) return;
  asking = true;
  await refresh();
  asking = false;
};
