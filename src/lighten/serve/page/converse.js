// Talking with models that write, or having them continue a text: one turn after the other, each answer as it comes.
import { el } from "./dom.js";
import { pace, split, time } from "./answers.js";
import { idOf } from "./pulse.js";
import { says } from "./say.js";
import { write } from "./write.js";

const PATHS = { talk: "v1/chat/completions", continue: "v1/completions" };
const histories = new Map(); // of a conversation, by model

export const forget = () => histories.clear();

const historyOf = (model) => histories.get(idOf(model)) || [];
const remember = (model, asked, answer) =>
  histories.set(idOf(model), [
    ...historyOf(model), { role: "user", content: asked }, { role: "assistant", content: answer },
  ]);

const bodyFor = (model, mode, asked, settings) => {
  if (mode === "continue") return { ...settings.values(), prompt: asked };
  const system = settings.system() ? [{ role: "system", content: settings.system() }] : [];
  return { ...settings.values(), messages: [...system, ...historyOf(model), { role: "user", content: asked }] };
};

const begun = (prompt) => (prompt ? [el("span", { class: "begins" }, prompt)] : []);
const mark = (node, [shared, rest], prompt) =>
  node.replaceChildren(...begun(prompt), shared, rest ? el("mark", {}, rest) : "");

// How far two answers are the same, and how their times compare; null where fewer came to their end.
const verdictOf = (done, prompt) => {
  const whole = done.filter(([, reply]) => reply.whole);
  if (whole.length < 2) return null;
  const [[left, a], [right, b]] = whole;
  const parts = split(a.text, b.text);
  if (!parts.same) { mark(a.node, parts.left, prompt); mark(b.node, parts.right, prompt); }
  const tone = { class: `badge ${parts.same ? "good" : "warn"}` };
  const badge = says("span", parts.same ? "agree.text" : "agree.text.until", { n: String(parts.words) }, tone);
  return el("p", { class: "verdict" }, badge, pace([left.name, a.seconds], [right.name, b.seconds]));
};

// asked: what was typed. desk: see try.js. thread: where turns go. Returns what is said to who listens, as a function;
// null where nothing came.
export const converse = async (mode, asked, desk, thread, signal, settings) => {
  const prompt = mode === "continue" ? asked : "";
  const turn = el("li", {}, prompt ? "" : el("p", { class: "asked", dir: "auto" }, asked), desk.node);
  desk.sides.forEach((side) => side.body.replaceChildren(says("p", "try.waits", {}, { class: "note" })));
  if (prompt) thread.replaceChildren();
  thread.append(turn);
  const done = [];
  for (const side of desk.inTurn()) {
    if (signal.aborted) { side.body.replaceChildren(says("p", "try.stopped", {}, { class: "note" })); continue; }
    const body = bodyFor(side.model, mode, asked, settings);
    const reply = await write(side.model, PATHS[mode], body, side.body, signal, prompt);
    done.push([side, reply]);
    if (reply.whole) side.took.replaceChildren(time(reply.seconds));
    if (!prompt && reply.text) remember(side.model, asked, reply.text);
  }
  const verdict = verdictOf(done, prompt);
  if (verdict) turn.append(verdict);
  if (!done.some(([, reply]) => reply.text)) return null;
  const heard = done.map(([side, reply]) => `${side.name}: ${reply.text}`).join(" ");
  return () => `${verdict ? verdict.textContent : ""} ${heard}`.trim();
};
