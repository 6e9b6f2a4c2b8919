// Asking models what they were made for: inputs in, what each says of them out.
import { data, el } from "./dom.js";
import { agreement, pace, shown, time } from "./answers.js";
import { Refused, ask, isStopped, problem } from "./server.js";
import { says } from "./say.js";

const predict = async (model, items, signal) => {
  const began = performance.now();
  const json = { inputs: items.map((item) => item.value), version: model.version };
  const path = `predict/${encodeURIComponent(model.name)}`;
  const reply = await (await ask(path, { json, signal, patient: true })).json();
  return { predictions: reply.predictions, seconds: (performance.now() - began) / 1e3 };
};

const itemOf = (item) =>
  item.file === undefined
    ? el("p", { class: "item", dir: "auto" }, item.text)
    : el("p", { class: "item" }, item.picture(), data(item.file, { class: "sub" }));

// What was found of several inputs: each with what was said of it.
const rows = (items, desk, found) => {
  const list = el("div", { class: "rows" });
  items.forEach((item, place) => {
    const said = desk.sides.map((side) => {
      const reply = found.get(side.model);
      const name = el("span", { class: "cell-name" }, data(side.name));
      return el("div", {}, name, reply ? shown(reply.predictions[place], true) : "–");
    });
    list.append(el("div", { class: "flip" }, itemOf(item), el("div", { class: desk.kind }, said)));
  });
  return list;
};

const onlyApart = (list, every) => {
  every.forEach((one, place) => list.children[place].classList.toggle("apart", one === false));
  const only = el("input", { type: "checkbox" });
  only.addEventListener("change", () => list.classList.toggle("only", only.checked));
  return el("label", { class: "check" }, only, says("span", "agree.only"));
};

// Whether two say the same, and how their times compare; null where fewer answered.
const verdictOf = (desk, found, list) => {
  const answered = desk.sides.filter((side) => found.has(side.model));
  if (answered.length < 2) return null;
  const [left, right] = answered.map((side) => found.get(side.model));
  const agreed = agreement(left.predictions, right.predictions);
  const times = pace(...answered.map((side) => [side.name, found.get(side.model).seconds]));
  const line = el("p", { class: "verdict" }, agreed ? agreed.node : "", times);
  if (list && agreed && agreed.every.includes(false)) line.append(onlyApart(list, agreed.every));
  return line;
};

const brief = (prediction) => prediction.label ?? prediction.answer ?? "";

// items: see inputs.js. desk: { sides, kind, node } of the models, in the order in which they are shown (see try.js).
// place: where answers go. again: asks once more. Returns what is said to who listens, as a function.
export const predictAll = async (items, desk, place, signal, again) => {
  const found = new Map(), single = items.length === 1;
  desk.sides.forEach((side) => side.body.replaceChildren(says("p", "try.waits", {}, { class: "note" })));
  place.replaceChildren(...(single && items[0].file !== undefined ? [itemOf(items[0])] : []), desk.node);
  for (const side of desk.inTurn()) {
    side.body.replaceChildren(says("p", "try.asking", {}, { class: "note" }));
    try {
      const reply = await predict(side.model, items, signal);
      found.set(side.model, reply);
      side.took.replaceChildren(time(reply.seconds));
      side.body.replaceChildren(single ? shown(reply.predictions[0]) : "");
    } catch (error) {
      if (isStopped(error)) side.body.replaceChildren(says("p", "try.stopped", {}, { class: "note" }));
      else if (error instanceof Refused) side.body.replaceChildren(problem(error, again));
      else throw error;
    }
  }
  const list = single || !found.size ? null : rows(items, desk, found);
  const verdict = verdictOf(desk, found, list);
  place.replaceChildren(...[verdict, ...place.children, list].filter(Boolean));
  if (!found.size) return null;
  const labels = desk.sides.filter((side) => single && found.has(side.model))
    .map((side) => `${side.name}: ${brief(found.get(side.model).predictions[0])}`);
  return () => [verdict ? verdict.textContent : "", labels.join("; ")].join(" ").trim();
};
