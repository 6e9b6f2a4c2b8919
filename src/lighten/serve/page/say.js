// Texts in the reader's language. What was said is remembered by its key, so that a switch changes it in its place.
import { WORDS } from "./words.js";
import { all, el } from "./dom.js";

const LANGS = ["en", "zh"];
const PLACES = { text: "", label: "aria-label", hint: "placeholder", title: "title" };
const HAN = /[\u4e00-\u9fff]/;
const said = new WeakMap();

const kept = (read) => { try { return read(localStorage); } catch { return null; } };
const asked = () => (/[?&]lang=(en|zh)\b/.exec(location.search) || [])[1] || kept((s) => s.getItem("lighten.lang"));
export let lang = LANGS.includes(asked()) ? asked() : /^zh/i.test(navigator.language) ? "zh" : "en";

// Chinese typesetting: a space between a Chinese character and a Latin one or a digit, none between two Chinese.
const joined = (left, right) => {
  const [before, after] = [left.trimEnd().slice(-1), right.trimStart().slice(0, 1)];
  if (HAN.test(before) && HAN.test(after)) return left.trimEnd() + right.trimStart();
  const touching = /[\p{L}\p{N}%]$/u.test(left) && /^[\p{L}\p{N}]/u.test(right);
  return HAN.test(before) !== HAN.test(after) && touching ? `${left} ${right}` : left + right;
};

// A text with its gaps filled: {name}, or {n|model|models} for a word that follows a number. A value may be a function,
// which is called each time that the text is said.
const fill = (text, values) => {
  const value = (name) => { const one = values[name]; return String(typeof one === "function" ? one() : one); };
  const parts = text.split(/(\{\w+(?:\|[^{}]*)?\})/);
  return parts.map((part) => {
    const gap = /^\{(\w+)(?:\|([^|]*)\|([^|]*))?\}$/.exec(part);
    if (!gap) return part;
    return gap[2] === undefined ? value(gap[1]) : value(gap[1]) === "1" ? gap[2] : gap[3];
  }).reduce(lang === "zh" ? joined : (left, right) => left + right, "");
};

export const known = (key) => key in WORDS;
export const text = (key, values = {}) => fill(WORDS[key][LANGS.indexOf(lang)], values);

// Say something in a node: as its text, or where `place` says. Returns the node.
export const say = (node, key, values = {}, place = "text") => {
  const attribute = PLACES[place];
  if (!said.has(node)) said.set(node, new Map());
  said.get(node).set(attribute, [key, values]);
  node.setAttribute("data-said", "");
  const words = key ? text(key, values) : "";
  if (!attribute) { if (node.textContent !== words) node.textContent = words; }
  else node.setAttribute(attribute, words);
  return node;
};

// An element that says something: says("p", "try.lead", {}, { class: "note" }).
export const says = (name, key, values = {}, attributes = {}) => say(el(name, attributes), key, values);

const whenSwitched = [];
export const onSwitch = (called) => whenSwitched.push(called);

export const speak = (other) => {
  lang = other;
  document.documentElement.lang = other;
  all("[data-lang]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.lang === other)));
  for (const node of all("[data-said]")) {
    for (const [attribute, [key, values]] of said.get(node) || []) {
      const words = key ? text(key, values) : "";
      if (attribute) node.setAttribute(attribute, words); else node.textContent = words;
    }
  }
  whenSwitched.forEach((called) => called());
};

export const begin = () => {
  for (const place of Object.keys(PLACES)) {
    const name = place === "text" ? "data-say" : `data-say-${place}`;
    all(`[${name}]`).forEach((node) => say(node, node.getAttribute(name), {}, place));
  }
  all("[data-lang]").forEach((b) => b.addEventListener("click", () => {
    kept((s) => s.setItem("lighten.lang", b.dataset.lang));
    speak(b.dataset.lang);
  }));
  speak(lang);
};
