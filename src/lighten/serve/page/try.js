// Choosing a model, or two that are asked side by side, and asking them.
import { data, el, one, writes } from "./dom.js";
import { bytes } from "./numbers.js";
import { converse, forget } from "./converse.js";
import { inputFor } from "./inputs.js";
import { predictAll } from "./predict.js";
import { show as showProgram } from "./program.js";
import { idOf } from "./pulse.js";
import { known, onSwitch, say, says, text } from "./say.js";
import { problem } from "./server.js";
import { settings } from "./write.js";

const IDS = [
  "first", "second", "modes", "thread", "ask", "input", "settings", "fields", "go", "stop", "clear", "keys",
  "problem", "answers", "told", "fair",
];
const nodes = Object.fromEntries(IDS.map((id) => [id, one(`#${id}`)]));

let limits = {};
let models = [];
let first = null, second = null, mode = "";
let input = null, drawn = null, running = null;
let shownAs = ""; // what of the models stands in the lists
let turn = 0; // who is asked first takes turns

// Ways in which a model can be asked: a conversation, a text that goes on, what it was made for.
const modesOf = (model) => (model.writes ? [...(model.talks ? ["talk"] : []), "continue", "made"] : ["made"]);
const alike = (a, b) =>
  Boolean(a.files) === Boolean(b.files) && a.columns.join() === b.columns.join() && modesOf(b).includes(mode);
const find = (id) => models.find((model) => idOf(model) === id) || null;
const several = (model) => models.filter((other) => other.name === model.name).length > 1;
const nameOf = (model) => (several(model) ? `${model.name} ${model.version}` : model.name);
const beside = (model) => models.find((other) => other !== model && other.name === model.name) || null;
const listed = () => models.map((m) => `${idOf(m)} ${m.state} ${m.talks} ${m.artifact}`).join();

const stateOf = (model) => (known(`state.${model.state}`) ? text(`state.${model.state}`) : model.state);
const option = (model) =>
  el("option", { value: idOf(model) }, nameOf(model) + (model.state === "ready" ? "" : ` (${stateOf(model)})`));

const fillSelects = () => {
  const others = first ? models.filter((model) => model !== first && alike(first, model)) : [];
  if (second && !others.includes(second)) second = null;
  const nobody = el("option", { value: "" }, text(others.length ? "try.nobody" : "try.nobody.else"));
  nodes.first.replaceChildren(...models.map(option));
  nodes.second.replaceChildren(nobody, ...others.map(option));
  nodes.second.disabled = !others.length;
  nodes.first.value = first ? idOf(first) : "";
  nodes.second.value = second ? idOf(second) : "";
  nodes.fair.hidden = !second;
};

const fillModes = () => {
  const every = first ? modesOf(first) : [];
  nodes.modes.hidden = every.length < 2;
  nodes.modes.replaceChildren(...every.map((name) => {
    const button = says("button", `mode.${name}`, {}, { type: "button", "aria-pressed": String(name === mode) });
    button.addEventListener("click", () => {
      choose(first, second, name);
      nodes.modes.children[every.indexOf(name)].focus();
    });
    return button;
  }));
};

const clear = () => {
  forget();
  for (const node of [nodes.thread, nodes.answers]) { node.replaceChildren(); node.hidden = true; }
  nodes.problem.replaceChildren();
  say(nodes.told, "");
};

// Ask these from now on, and so. Where another kind of input is needed, what was typed goes along if it can.
const choose = (model, other, how) => {
  stop();
  const typed = input ? input.text() : "";
  first = model;
  mode = !first ? "" : modesOf(first).includes(how) ? how : modesOf(first)[0];
  second = other && other !== first && alike(first, other) ? other : null;
  fillSelects();
  fillModes();
  clear();
  if (!first) return;
  input = inputFor(first, mode, typed);
  nodes.input.replaceChildren(input.node);
  nodes.settings.hidden = mode === "made";
  nodes.settings.classList.toggle("talks", mode === "talk");
  say(nodes.go, mode === "talk" ? "try.send" : "try.ask");
  say(nodes.clear, mode === "talk" ? "try.anew" : "try.clear");
  say(nodes.keys, first.files ? "" : mode === "talk" ? "try.keys.talk" : "try.keys");
  showProgram(first, mode, input);
};

export const update = (status) => {
  limits = status.limits;
  if (!drawn) { drawn = settings(limits.answer); nodes.fields.replaceChildren(...drawn.nodes); }
  models = status.models;
  if (first) first = find(idOf(first));
  if (second) second = find(idOf(second));
  if (listed() === shownAs || running) return;
  shownAs = listed();
  if (first) { fillSelects(); fillModes(); return; }
  const start = models.find((model) => model.roles.includes("serves")) || models[0] || null;
  choose(start, start && beside(start), "");
};

const stop = () => { if (running) running.abort(); };

const begin = () => {
  running = new AbortController();
  nodes.go.disabled = true;
  nodes.stop.hidden = false;
  nodes.problem.replaceChildren();
  return running.signal;
};

const end = () => {
  const focused = document.activeElement === nodes.stop;
  running = null;
  nodes.go.disabled = false;
  nodes.stop.hidden = true;
  if (focused) nodes.go.focus();
  if (first) showProgram(first, mode, input);
};

const sideFor = (model) => {
  const took = el("span"), body = el("div", { class: "body" }), name = nameOf(model);
  return { model, name, took, body, node: el("div", {}, el("h4", {}, data(name), " ", took), body) };
};

// Where the answers go. They are asked one after the other, so that neither slows the other, and take turns in being
// first.
const deskFor = (asked) => {
  const sides = asked.map(sideFor), kind = sides.length > 1 ? "sides" : "side";
  const inTurn = () => { turn += 1; return turn % 2 ? sides : [...sides].reverse(); };
  return { sides, kind, inTurn, node: el("div", { class: kind }, sides.map((side) => side.node)) };
};

const complain = (key, values = {}) => nodes.problem.replaceChildren(says("p", key, values, { class: "problem" }));

// Files grow by a third on their way.
const tooLarge = (items) => {
  const size = items.reduce((total, item) => total + (item.size || 0), 0), most = limits.body * 0.749;
  if (size > most) complain("try.too_large", { size: () => bytes(size), most: () => bytes(most) });
  return size > most;
};

const askOnce = async (signal) => {
  const items = await input.values();
  if (!items.length) { complain(first.files ? "try.no_file" : "try.no_text"); return; }
  if (tooLarge(items)) return;
  nodes.answers.hidden = false;
  hear(await predictAll(items, deskFor([first, second].filter(Boolean)), nodes.answers, signal, submit));
};

const converseOnce = async (signal) => {
  const typed = input.text(), talks = mode === "talk";
  if (talks) input.clear();
  nodes.thread.hidden = false;
  const heard = await converse(mode, typed, deskFor([first, second].filter(Boolean)), nodes.thread, signal, drawn);
  hear(heard);
  if (!talks || mode !== "talk") return;
  if (!heard && !input.text()) input.fill(typed);
  input.focus();
};

// For who listens instead of looking.
const hear = (what) => say(nodes.told, what ? "try.done" : "try.failed", what ? { what } : {});

const submit = async () => {
  if (running || !first || !nodes.ask.reportValidity()) return;
  const signal = begin();
  try {
    await (mode === "made" ? askOnce(signal) : converseOnce(signal));
  } catch (error) {
    nodes.problem.replaceChildren(problem(error));
  } finally {
    end();
  }
};

// Keys: Ctrl+Enter asks (Enter, in a conversation, as people expect there), Escape stops. A composed character's own
// Enter is none.
const pressed = (event) => {
  if (event.isComposing) return;
  const alone = mode === "talk" && event.target.id === "text" && !event.shiftKey;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey || alone)) { event.preventDefault(); submit(); }
  if (event.key === "Escape" && running) { event.preventDefault(); stop(); }
};

// Files that are dropped or pasted anywhere are meant for a model that takes files; none is ever opened as a page.
const hasFiles = (event) => event.dataTransfer.types.includes("Files");
const glow = (on) => document.body.classList.toggle("dragging", on);
const dragged = (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  glow(Boolean(input && input.add));
};
const dropped = (event) => {
  glow(false);
  if (!hasFiles(event)) return;
  event.preventDefault();
  if (input && input.add) input.add(event.dataTransfer.files);
};
const pasted = (event) => {
  const found = event.clipboardData ? event.clipboardData.files : [];
  if (!found.length || !input || !input.add || writes(event.target)) return;
  event.preventDefault();
  input.add(found);
};

export const start = () => {
  nodes.first.addEventListener("change", () => {
    const chosen = find(nodes.first.value);
    choose(chosen, beside(chosen), first && chosen.writes === first.writes ? mode : "");
  });
  nodes.second.addEventListener("change", () => choose(first, find(nodes.second.value), mode));
  nodes.ask.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  nodes.ask.addEventListener("input", () => { if (first) showProgram(first, mode, input); });
  nodes.stop.addEventListener("click", stop);
  nodes.clear.addEventListener("click", () => { stop(); clear(); input.clear(); input.focus(); });
  one("#try").addEventListener("keydown", pressed);
  document.addEventListener("dragover", dragged);
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) glow(false); });
  document.addEventListener("drop", dropped);
  document.addEventListener("paste", pasted);
  onSwitch(() => { if (models.length) fillSelects(); });
};
