// What models say of inputs, as people read it, and whether two of them say the same.
import { data, el } from "./dom.js";
import { amount, count, seconds, share } from "./numbers.js";
import { says } from "./say.js";

const MOST = 5; // scores that are shown at once
const WORD = /\s*(?:[\u2e80-\u9fff\uac00-\ud7ff]|[^\s\u2e80-\u9fff\uac00-\ud7ff]+)|\s+$/g;

const score = ([label, value]) => {
  const bar = el("span", { class: "level" });
  bar.style.width = `${Math.max(0, Math.min(1, value)) * 100}%`;
  const number = says("span", "plain", { text: () => share(value) }, { class: "value" });
  return el("div", { class: "score" }, data(label, { class: "name" }), el("span", { class: "track" }, bar), number);
};

const scores = (prediction, brief) => {
  const every = Object.entries(prediction.scores).sort((a, b) => b[1] - a[1]);
  const top = prediction.scores[prediction.label];
  const sure = top === undefined ? "" : says("span", "plain", { text: () => share(top) }, { class: "sub" });
  const head = el("p", { class: "says" }, data(prediction.label), sure);
  if (brief) return head;
  const rest = every.slice(MOST);
  const others = says("summary", "answer.more", { n: () => count(rest.length) });
  const more = () => el("details", {}, others, rest.map(score));
  return el("div", {}, head, every.slice(0, MOST).map(score), rest.length ? more() : "");
};

const isText = (prediction) => typeof prediction.answer === "string";
const START = 8; // numbers of a vector that are shown
const vector = (numbers) => {
  const first = numbers.slice(0, START).map((one) => one.toFixed(4)).join("  ");
  return el("p", { class: "written" }, data(`[${numbers.length}]  ${first}${numbers.length > START ? " …" : ""}`));
};
const measures = (prediction) => Object.entries(prediction).filter(([, value]) => typeof value === "number");

// brief: without the scores of other labels.
export const shown = (prediction, brief = false) => {
  if (prediction.scores) return scores(prediction, brief);
  if (isText(prediction)) return el("p", { class: "written" }, data(prediction.answer, { dir: "auto" }));
  if (Array.isArray(prediction.embedding)) return vector(prediction.embedding);
  const rows = measures(prediction).map(([name, value]) =>
    [el("dt", {}, data(name)), says("dd", "plain", { text: () => amount(value) })]);
  return el("dl", { class: "pairs" }, rows);
};

// Whether two models say the same; null where nothing is the same or not.
export const same = (a, b) => {
  if (a.scores && b.scores) return a.label === b.label;
  return isText(a) && isText(b) ? a.answer === b.answer : null;
};

// The most by which two models differ in a score; null where there is none.
const apart = (a, b) => {
  if (!a.scores || !b.scores) return null;
  const names = new Set([...Object.keys(a.scores), ...Object.keys(b.scores)]);
  return Math.max(...[...names].map((name) => Math.abs((a.scores[name] || 0) - (b.scores[name] || 0))));
};

export const agreement = (left, right) => {
  const every = left.map((one, place) => same(one, right[place]));
  const judged = every.filter((one) => one !== null);
  if (!judged.length) return null;
  const alike = judged.filter(Boolean).length;
  const moved = Math.max(...left.map((one, place) => apart(one, right[place]) ?? -1));
  const key = judged.length > 1 ? "agree.many" : alike ? "agree.yes" : "agree.no";
  const tone = { class: `badge ${alike === judged.length ? "good" : "warn"}` };
  const badge = says("span", key, { n: () => count(alike), total: () => count(judged.length) }, tone);
  const points = { points: () => amount(moved * 100) };
  const far = moved >= 0.0005 ? says("span", "agree.scores", points, { class: "sub" }) : "";
  return { node: el("span", {}, badge, " ", far), every };
};

// How two times compare: [name, seconds] each. Nothing where they cannot be told apart by eye.
export const pace = ([one, took], [other, needed]) => {
  const [fast, slow, times] = took <= needed ? [one, other, needed / took] : [other, one, took / needed];
  if (!Number.isFinite(times) || times < 1.05) return says("span", "agree.even", {}, { class: "sub" });
  return says("span", "agree.faster", { fast, slow, times: () => amount(times) }, { class: "sub" });
};

export const time = (took) => says("span", "plain", { text: () => seconds(took) }, { class: "sub" });

// Two texts word by word: how many words they share from the beginning on, and what follows in each.
export const split = (left, right) => {
  const [a, b] = [left.match(WORD) || [], right.match(WORD) || []];
  let place = 0;
  while (place < a.length && place < b.length && a[place] === b[place]) place += 1;
  const rest = (words) => [words.slice(0, place).join(""), words.slice(place).join("")];
  return { words: place, left: rest(a), right: rest(b), same: place === a.length && place === b.length };
};
