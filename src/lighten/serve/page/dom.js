// Elements made of text. Nothing that anybody wrote is ever read as markup: no file here can do that, and the policy of
// the server (trusted types) would not let it.

export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

const SVG = "http://www.w3.org/2000/svg";

const filled = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
};

// el("p", { class: "note", onclick: f }, "text", other)
export const el = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
export const svg = (name, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, name), attributes, children);

// A text of a user's or a model's: isolated, so that right-to-left text disturbs no neighbour.
export const data = (text, attributes = {}) => el("bdi", attributes, String(text));

// Whether a key that was pressed is meant for a field in which one writes.
export const writes = (node) => node instanceof Element && node.matches("input, textarea, select, [contenteditable]");
