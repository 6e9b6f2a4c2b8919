// Versions of each name: who answers, and how often the shadow would have answered differently.
import { data, el, one } from "./dom.js";
import { bytes, count, share } from "./numbers.js";
import { TONES } from "./live.js";
import { ask } from "./server.js";
import { known, say, says, text } from "./say.js";

const EVERY = 3; // looks at the status between two at the versions
let looks = 0, asking = false;

const shares = (model) => ({
  serves: 1 - (model.canary ? model.canary.share : 0),
  canary: model.canary && model.canary.share,
  shadow: model.shadow && model.shadow.share,
});

const roles = (model, version) => version.roles.map((role) => {
  const part = () => share(shares(model)[role] ?? 0, 0);
  return says("span", `role.${role}`, { share: part }, { class: `badge ${role === "serves" ? "good" : ""}` });
});

const cell = (heading, ...children) =>
  el("td", { class: "num" }, says("span", heading, {}, { class: "cell-name" }), el("div", {}, ...children));
const number = (heading, value) => cell(heading, value());

const row = (model, version) => {
  const state = known(`state.${version.state}`) ? `state.${version.state}` : "state.other";
  const badge = says("span", state, { state: version.state }, { class: `badge ${TONES[version.state] || ""}` });
  const parts = roles(model, version).flatMap((one) => [" ", one]);
  const name = el("th", { scope: "row" }, data(version.version), parts);
  if (version.failure) name.append(el("span", { class: "sub" }, data(version.failure, { lang: "en" })));
  return el("tr", {}, name, cell("versions.state", badge), number("versions.answered", () => count(version.answered)),
    number("versions.failed", () => count(version.failed)), number("versions.refused", () => count(version.refused)),
    number("versions.memory", () => (version.memory ? bytes(version.memory) : "–")));
};

const HEADS = ["state", "answered", "failed", "refused", "memory"];

const table = (model) => {
  const heads = HEADS.map((name) => says("th", `versions.${name}`, {}, { scope: "col", class: "num" }));
  const head = el("thead", {}, el("tr", {}, says("th", "versions.version", {}, { scope: "col" }), ...heads));
  const body = el("tbody", {}, ...model.versions.map((version) => row(model, version)));
  return el("div", { class: "scroll" }, el("table", { class: "stack" }, head, body));
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

const card = (model) => el("article", { class: "card versions" }, el("h3", {}, data(model.name)), table(model),
  ...(model.disagreement ? [disagreement(model.disagreement)] : []));

export const update = async () => {
  looks += 1;
  if (asking || (looks - 1) % EVERY) return;
  asking = true;
  try {
    const found = (await (await ask("versions")).json()).models.filter((model) => model.versions.length > 1);
    one("#versions").hidden = one('#toc a[href="#versions"]').hidden = !found.length;
    one("#shadows").replaceChildren(...found.map(card));
    say(one("#versions-lost"), "");
  } catch (error) {
    say(one("#versions-lost"), "versions.lost");
  } finally {
    asking = false;
  }
};
