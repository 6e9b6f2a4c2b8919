// Answers of models that write, as they come.
import { data, el } from "./dom.js";
import { amount, count, seconds } from "./numbers.js";
import { Refused, ask, events, isStopped, problem } from "./server.js";
import { say, says } from "./say.js";
import { idOf } from "./pulse.js";

const FIELDS = [
  ["most", { type: "number", min: 1, step: 1, required: true }],
  ["temperature", { type: "number", min: 0, max: 2, step: 0.1, required: true, value: 0 }],
  ["top_p", { type: "number", min: 0.01, max: 1, step: 0.01, required: true, value: 1 }],
  ["seed", { type: "number", step: 1, value: "" }],
];

// The fields of the settings, and what they say.
export const settings = (most) => {
  const field = (name, attributes) => el("input", { id: `set-${name}`, ...attributes });
  const fields = FIELDS.map(([name, attributes]) => [name, field(name, { value: most, ...attributes })]);
  const system = el("textarea", { rows: 2, dir: "auto", id: "set-system" });
  const labelled = [...fields, ["system", system]].map(([name, input]) =>
    el("label", { class: name === "system" ? "wide" : "" }, says("span", `write.${name}`), input));
  const values = () => {
    const told = fields.filter(([, input]) => input.value !== "").map(([name, input]) => [name, Number(input.value)]);
    const { most: tokens, ...drawn } = Object.fromEntries(told);
    return { max_tokens: tokens, ...drawn };
  };
  return { nodes: labelled, values, system: () => system.value.trim() };
};

const textOf = (choice) => (choice.delta ? choice.delta.content : choice.text) || "";

// One answer: a node that fills while it comes, and a promise of what became of it. prompt: what a continuation goes on
// from; shown before it.
export const write = async (model, path, body, place, signal, prompt = "") => {
  const written = el("p", { class: "written", "aria-busy": "true", dir: "auto" });
  const held = document.createTextNode("");
  const facts = el("p", { class: "note" });
  if (prompt) written.append(el("span", { class: "begins" }, prompt));
  written.append(held);
  place.replaceChildren(written, facts);
  const began = performance.now();
  let first = 0, last = 0, reason = "", tokens = 0, waits = "", due = 0;
  const flush = () => { due = 0; held.appendData(waits); waits = ""; };
  const take = (event) => {
    if (event === "[DONE]") return;
    const part = JSON.parse(event);
    if (part.error) throw new Refused(500, part.error.code || "failed", part.error);
    if (part.usage) tokens = part.usage.completion_tokens;
    for (const choice of part.choices) {
      const text = textOf(choice);
      if (text) { last = performance.now(); first = first || last; waits += text; }
      reason = choice.finish_reason || reason;
    }
    due = due || requestAnimationFrame(flush);
  };
  let error = null;
  try {
    const json = { ...body, model: idOf(model), stream: true, stream_options: { include_usage: true } };
    const reply = await ask(path, { json, signal, patient: true });
    for await (const event of events(reply)) take(event);
    if (!reason) throw new Refused(0, "broken");
  } catch (caught) {
    error = caught instanceof Refused || isStopped(caught) ? caught : new Refused(0, "broken");
  }
  cancelAnimationFrame(due);
  flush();
  written.removeAttribute("aria-busy");
  const took = (performance.now() - began) / 1e3;
  const text = held.data;
  if (error && !isStopped(error)) place.append(problem(error));
  if (error && isStopped(error)) say(facts, text ? "write.stopped" : "write.stopped.before");
  else if (!error) {
    const rate = tokens > 1 && last > first ? (tokens - 1) / ((last - first) / 1e3) : null;
    const waited = first ? (first - began) / 1e3 : took;
    say(facts, rate === null ? "write.facts.short" : "write.facts", {
      n: () => count(tokens), first: () => seconds(waited), rate: () => amount(rate ?? 0),
    });
    if (reason === "length") facts.after(says("p", "write.cut", { n: () => count(tokens) }, { class: "note" }));
  }
  return { text, seconds: took, error, node: written, whole: !error };
};
