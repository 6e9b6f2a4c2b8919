// Cases that a person judges, blind to which version said what; with the keyboard, and with a way back.
//
// A verdict is sent when the next one is given, or after a few seconds: until then it can be taken back, and the case
// is as blind as before. One that was sent can be given anew, too, but whoever does so has seen who said what.
import { all, data, el, one, writes } from "./dom.js";
import { count, moment } from "./numbers.js";
import { ask, problem } from "./server.js";
import { say, says, text } from "./say.js";

const HELD = 6000; // milliseconds for which a verdict can be taken back unseen
const FEW = 3, AT_ONCE = 20, MOST = 500; // cases that are at hand; that are asked for, usually and at the most
const BACK = 50; // cases that were sent and can be gone back to
const KEYS = { both: "=", neither: "X", skip: "S", undo: "U", label: "L" };

let nodes = null;
let counts = { open: 0, judged: 0 };
let models = [];
let queue = [], current = null, pending = null, sent = [], skipped = new Set();
let asking = false;
const labels = new Map(); // of a model, what its answers can be

const filter = () => {
  const asked = { model: nodes.model.value, kind: nodes.kind.value };
  return new URLSearchParams(Object.entries(asked).filter(([, value]) => value));
};

const build = () => {
  const pick = (key, options) => {
    const select = el("select", {}, options);
    return [select, el("label", { class: "pick" }, says("span", key), select)];
  };
  const kinds = ["", "flip", "guard", "suspicious"].map((name) =>
    says("option", name ? `kind.${name}` : "review.every", {}, { value: name }));
  const [model, modelLabel] = pick("review.model", []), [kind, kindLabel] = pick("review.kind", kinds);
  const progress = el("progress", { max: 1, value: 0 }), done = el("span", { class: "count" });
  const rows = says("button", "review.rows", {}, { type: "button" });
  const card = el("div", { class: "case", tabindex: 0, role: "group" });
  const told = el("p", { class: "note last", role: "status" }), wrong = el("div", { role: "alert", class: "wrongs" });
  nodes = { model, kind, progress, done, rows, card, told, wrong };
  say(progress, "review.progress", {}, "label");
  say(card, "review.case", {}, "label");
  one("#judging").replaceChildren(el("div", { class: "card judge" },
    el("div", { class: "controls" }, modelLabel, kindLabel, progress, done, rows), card, told, wrong));
  for (const select of [model, kind]) select.addEventListener("change", restart);
  rows.addEventListener("click", download);
  one("#review").addEventListener("keydown", pressed);
  addEventListener("pagehide", () => { if (pending) send(pending, true); });
};

const restart = () => {
  flush();
  [queue, skipped] = [[], new Set()];
  say(nodes.told, "");
  showRows();
  next();
};

const showRows = () => {
  nodes.rows.disabled = !chosen();
  say(nodes.rows, chosen() ? "" : "review.rows.which", {}, "title");
};
const chosen = () => nodes.model.value || (models.length === 1 ? models[0] : "");

const showCounts = () => {
  const total = counts.open + counts.judged;
  nodes.progress.max = Math.max(1, total);
  nodes.progress.value = counts.judged;
  say(nodes.done, "review.done", { n: () => count(counts.judged), total: () => count(total) });
};

// What was sent, as far as it can be shown: a text, a picture, the columns of a row.
const inputOf = (value) => {
  if (typeof value === "string" && value.startsWith("data:image/")) {
    return el("p", { class: "item" }, el("img", { src: value, alt: text("review.picture") }));
  }
  if (typeof value === "string") return el("p", { class: "item", dir: "auto" }, value);
  if (!value || typeof value !== "object") return el("p", { class: "item" }, String(value));
  return el("dl", { class: "pairs item" }, Object.entries(value).map(([name, cell]) =>
    [el("dt", {}, data(name)), el("dd", { dir: "auto" }, typeof cell === "string" ? cell : JSON.stringify(cell))]));
};

const button = (key, said, values, called, attributes = {}) => {
  const hint = key ? [" ", el("kbd", {}, key)] : [];
  const node = el("button", { type: "button", ...attributes }, says("span", said, values), hint);
  node.addEventListener("click", called);
  return node;
};

const labelForm = (item) => {
  const field = el("input", { type: "text", list: "labels", id: "label", autocomplete: "off", dir: "auto" });
  say(field, "review.label", {}, "label");
  say(field, "review.label", {}, "hint");
  const names = (labels.get(item.model) || []).map((name) => el("option", { value: name }));
  const give = says("button", "review.give", {}, { type: "submit" });
  const given = (event) => {
    event.preventDefault();
    if (field.value.trim()) judge({ label: field.value.trim() });
  };
  const list = el("datalist", { id: "labels" }, names);
  return el("form", { class: "label", onsubmit: given }, field, list, give, el("kbd", {}, KEYS.label));
};

const nameOfVerdict = (verdict, item) => {
  const answers = Object.keys(item.answers).length;
  if (verdict === "both") return answers > 2 ? "review.all" : "review.both";
  if (verdict === "neither") return ["review.aside", "review.wrong"][answers] || "review.neither";
  return answers === 1 ? "review.right" : "review.answer";
};

const showCase = (item) => {
  current = item;
  const card = nodes.card;
  if (!item) {
    const rest = counts.open ? "review.rest" : "review.nothing", n = count(skipped.size);
    card.replaceChildren(says("p", rest, { n: () => count(counts.open) }, { class: "none" }));
    if (skipped.size) card.append(button("", "review.skipped", { n }, () => { skipped = new Set(); next(); }));
    return;
  }
  const head = el("p", { class: "heads" }, says("span", `kind.${item.kind}`, {}, { class: "badge" }), data(item.model),
    say(el("span", { class: "sub" }), "plain", { text: () => moment(item.time) }),
    item.seen > 1 ? says("span", "review.seen", { n: () => count(item.seen) }, { class: "sub" }) : "",
    item.state === "judged" ? says("span", "review.sighted", {}, { class: "badge warn" }) : "");
  const sides = Object.entries(item.answers).map(([key, answer]) => el("div", {}, el("h4", {}, key,
    answer.version === undefined ? "" : says("span", "review.said.by", { version: answer.version }, { class: "sub" })),
    el("p", { class: "written" }, data(answer.answer, { dir: "auto" }))));
  const verdicts = item.verdicts.map((verdict) => button(
    KEYS[verdict] || verdict, nameOfVerdict(verdict, item), { key: verdict }, () => judge({ verdict }),
    { class: "verdict" }));
  const others = [
    button(KEYS.skip, "review.skip", {}, skip, { class: "quiet" }),
    button(KEYS.undo, "review.undo", {}, undo, { class: "quiet undo" }),
  ];
  card.replaceChildren(head, ...(item.note ? [el("p", { class: "note" }, data(item.note))] : []), inputOf(item.input),
    el("div", { class: sides.length > 1 ? "sides" : "side" }, sides), el("div", { class: "end" }, verdicts),
    el("div", { class: "end" }, labelForm(item), others));
  showUndo();
};

const showUndo = () => all(".undo", nodes.card).forEach((node) => { node.disabled = !pending && !sent.length; });

const fetchLabels = async (model) => {
  if (labels.has(model)) return;
  labels.set(model, []);
  const found = await (await ask(`v2/models/${encodeURIComponent(model)}`)).json();
  labels.set(model, ((found.parameters || {}).labels || []).slice(0, 500));
};

// Whether a case is put aside, or judged already.
const hidden = ({ id }) =>
  skipped.has(id) || (pending !== null && pending.item.id === id) || sent.some((old) => old.id === id);

const next = async () => {
  queue = queue.filter((item) => !hidden(item));
  if (queue.length < FEW && !asking) {
    asking = true;
    try {
      const limit = Math.min(MOST, AT_ONCE + skipped.size + 1);
      const found = await (await ask(`review?${filter()}&state=open&limit=${limit}`)).json();
      counts = { open: found.open, judged: found.judged };
      const there = new Set(queue.map((item) => item.id));
      queue = [...queue, ...found.cases.filter((item) => !there.has(item.id) && !hidden(item))];
      await Promise.all([...new Set(found.cases.map((item) => item.model))].map(fetchLabels));
      nodes.wrong.replaceChildren();
    } catch (error) {
      nodes.wrong.replaceChildren(problem(error, next));
    } finally {
      asking = false;
    }
  }
  showCounts();
  const within = nodes.card.contains(document.activeElement);
  showCase(queue.find((item) => !hidden(item)) || null);
  if (within) nodes.card.focus({ preventScroll: true });
};

const tell = (key, values) => say(nodes.told, key, values);

const saidOf = (body, item) => () =>
  body.label !== undefined ? `“${body.label}”` : text(nameOfVerdict(body.verdict, item), { key: body.verdict });

const judge = (body) => {
  if (!current) return;
  flush();
  const item = current;
  pending = { item, body, timer: setTimeout(flush, HELD) };
  queue = queue.filter((other) => other !== item);
  tell("review.held", { verdict: saidOf(body, item) });
  nodes.card.focus({ preventScroll: true });
  next();
};

const flush = () => {
  if (!pending) return;
  const one = pending;
  clearTimeout(one.timer);
  pending = null;
  send(one, false);
};

const send = async ({ item, body }, leaving) => {
  sent = [...sent, item].slice(-BACK);
  try {
    const told = await (await ask(`review/${encodeURIComponent(item.id)}`, { json: body, keepalive: leaving })).json();
    sent = sent.map((old) => (old.id === item.id ? told : old));
    if (item.state !== "judged") counts = { open: counts.open - 1, judged: counts.judged + 1 };
    const who = () => Object.entries(told.answers)
      .map(([key, answer]) => text("review.was", { key, version: answer.version }))
      .join(text("page.comma"));
    tell("review.sent", { verdict: saidOf(body, item), who });
  } catch (error) {
    sent = sent.filter((old) => old.id !== item.id);
    queue = [item, ...queue];
    nodes.wrong.replaceChildren(problem(error));
    showCase(item);
  }
  showCounts();
  showUndo();
};

const skip = () => {
  if (!current) return;
  skipped.add(current.id);
  tell("review.skipping");
  nodes.card.focus({ preventScroll: true });
  next();
};

const undo = () => {
  const back = pending ? pending.item : sent[sent.length - 1];
  if (!back) return;
  if (pending) { clearTimeout(pending.timer); pending = null; } else sent = sent.slice(0, -1);
  queue = [back, ...queue.filter((item) => item.id !== back.id)];
  tell(back.state === "judged" ? "review.undone.sighted" : "review.undone");
  nodes.card.focus({ preventScroll: true });
  showCase(back);
};

const pressed = (event) => {
  if (event.target.id === "label" && event.key === "Escape") { nodes.card.focus(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || writes(event.target) || !current) {
    if (!current && event.key.toUpperCase() === KEYS.undo) undo();
    return;
  }
  const key = event.key.toUpperCase();
  const verdict = current.verdicts.find((one) => (KEYS[one] || one) === key);
  const does = verdict ? () => judge({ verdict })
    : { [KEYS.skip]: skip, [KEYS.undo]: undo, [KEYS.label]: () => one("#label").focus() }[key];
  if (!does) return;
  event.preventDefault();
  does();
};

const download = async () => {
  flush();
  try {
    const reply = await ask(`review/rows?${new URLSearchParams({ model: chosen() })}`);
    const [, name] = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") || "") || ["", "rows.csv"];
    const address = URL.createObjectURL(await reply.blob());
    el("a", { href: address, download: `${chosen()}-${name}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
    nodes.wrong.replaceChildren();
  } catch (error) {
    nodes.wrong.replaceChildren(problem(error));
  }
};

export const update = (status) => {
  const there = Boolean(status.review) && status.operates !== false; // it shows what others asked
  one("#review").hidden = one('#toc a[href="#review"]').hidden = !there;
  if (!there) return;
  const first = !nodes;
  if (first) build();
  const names = [...new Set(status.models.map((model) => model.name))];
  if (names.join() !== models.join()) {
    const before = nodes.model.value;
    models = names;
    const every = says("option", "review.every", {}, { value: "" });
    nodes.model.replaceChildren(every, ...names.map((name) => el("option", { value: name }, name)));
    nodes.model.value = names.includes(before) ? before : "";
    showRows();
  }
  if (first || (!current && status.review.open > skipped.size && !pending)) next();
};
