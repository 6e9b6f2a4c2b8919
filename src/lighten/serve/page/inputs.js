// What a model is asked: texts, the columns of a prompt, or files. Each gives { node, values, clear, focus, text },
// of which values() promises [{ value, text } or { value, file, picture }]: `value` is sent, the rest is shown.
import { data, el } from "./dom.js";
import { bytes } from "./numbers.js";
import { say, says } from "./say.js";

const field = (name, attributes, key, values = {}, place = "hint") => say(el(name, attributes), key, values, place);

const texts = ({ hint, lines, text }) => {
  const area = field("textarea", { id: "text", rows: 3, required: true, dir: "auto" }, hint);
  say(area, "input.text", {}, "label");
  const each = el("input", { type: "checkbox", id: "lines" });
  area.value = text;
  const inputs = () => (each.checked ? area.value.split("\n").filter((one) => one.trim()) : [area.value]);
  const values = async () => inputs().map((one) => ({ value: one, text: one }));
  const node = el("div", {}, area, lines ? el("label", { class: "check" }, each, says("span", "input.lines")) : "");
  const fill = (told) => { area.value = told; };
  return { node, values, inputs, fill, clear: () => fill(""), focus: () => area.focus(), text: () => area.value };
};

const columns = ({ names }) => {
  const areas = names.map((name) => [name, el("textarea", { rows: 1, dir: "auto" })]);
  const values = async () => {
    const row = Object.fromEntries(areas.map(([name, area]) => [name, area.value]));
    return [{ value: row, text: areas.map(([name, area]) => `${name}: ${area.value}`).join("\n") }];
  };
  const clear = () => areas.forEach(([, area]) => { area.value = ""; });
  const node = el("div", { class: "fields" }, areas.map(([name, area]) => el("label", {}, data(name), area)));
  return { node, values, clear, focus: () => areas[0][1].focus(), text: () => "" };
};

const base64 = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});

// A picture of a file, where the browser can show it.
export const pictureOf = (file) => {
  const address = URL.createObjectURL(file);
  const picture = el("img", { alt: "" });
  const over = () => URL.revokeObjectURL(address);
  picture.addEventListener("load", over);
  picture.addEventListener("error", () => { over(); picture.remove(); });
  picture.src = address;
  return picture;
};

const files = ({ suffixes }) => {
  let chosen = [];
  const list = el("ul", { class: "chosen-files" });
  const accept = suffixes.join(",");
  const chooser = el("input", { type: "file", id: "files", multiple: true, accept, class: "unseen" });
  const row = (file) => {
    const drop = () => { chosen = chosen.filter((one) => one !== file); show(); chooser.focus(); };
    const remove = el("button", { type: "button", class: "quiet", onclick: drop }, "×");
    say(remove, "input.remove", { name: file.name }, "label");
    const size = says("span", "plain", { text: () => ` ${bytes(file.size)}` }, { class: "sub" });
    return el("li", {}, pictureOf(file), el("span", {}, data(file.name), size), remove);
  };
  const show = () => list.replaceChildren(...chosen.map(row));
  const add = (more) => { chosen = [...chosen, ...more]; show(); };
  chooser.addEventListener("change", () => { add(chooser.files); chooser.value = ""; });
  const label = says("label", "input.choose", {}, { for: "files", class: "button" });
  const hint = says("span", "input.drop", {}, { class: "note" });
  const node = el("div", { class: "drop" }, el("p", {}, chooser, label, " ", hint), list);
  const item = async (file) =>
    ({ value: await base64(file), file: file.name, size: file.size, picture: () => pictureOf(file) });
  const values = () => Promise.all(chosen.map(item));
  return { node, values, add, clear: () => { chosen = []; show(); }, focus: () => chooser.focus(), text: () => "" };
};

// The input of a model in a mode (see try.js). text: what was typed before.
export const inputFor = (model, mode, text) => {
  if (model.files) return files({ suffixes: model.files });
  if (mode === "made" && model.columns.length > 1) return columns({ names: model.columns });
  const hint = { talk: "input.hint.talk", continue: "input.hint.continue" }[mode] || "input.hint.text";
  return texts({ hint, lines: mode === "made", text });
};
