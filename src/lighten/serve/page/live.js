// How it stands with every model: what is asked, how long it takes, what waits, what is refused.
import { data, el, one } from "./dom.js";
import { amount, bytes, count, seconds } from "./numbers.js";
import { draw, frame } from "./chart.js";
import { idOf, line, refusals } from "./pulse.js";
import { known, say, says, text } from "./say.js";

const whole = (value) => count(Math.round(value));
const last = (points) => points[points.length - 1];
const shown = (value, as) => (value === null || value === undefined ? "–" : as(value));

// Charts: name, what is drawn, how its numbers are written, whether a model has it.
const CHARTS = [
  ["requests", [["requests", "win"]], amount, () => true],
  ["latency", [["p99", "rare"], ["p50", "win"]], seconds, () => true],
  ["first", [["first", "win"]], seconds, (model) => model.writes],
  ["tokens", [["tokens", "win"]], amount, (model) => model.writes],
  ["waiting", [["waiting", "win"]], whole, () => true],
  ["batch", [["batch", "win"]], amount, (model) => !model.writes],
  ["refused", [["refused", "bad"]], amount, () => true],
];
export const TONES = { ready: "good", loading: "warn", restarting: "warn", failed: "bad", stopped: "bad" };
const cards = new Map();

// Two times in one line, the unit once where it is the same.
const pair = (a, b) => {
  const [one, other] = [a.split("\u00a0"), b.split("\u00a0")];
  return one[1] === other[1] && one[1] ? `${one[0]} · ${b}` : `${a} · ${b}`;
};

const chart = (name, series, as) => {
  const big = el("div", { class: "big" }), from = el("div", { class: "from" }), picture = frame();
  const what = says("div", `live.${name}`, {}, { class: "what" });
  const node = el("div", { class: "tile chart" }, what, big, picture, from);
  const update = (points) => {
    const top = draw(picture, points, series);
    const now = last(points) || {};
    const value = () => {
      const [one, other] = series.map(([of]) => shown(now[of], as)).reverse();
      return other === undefined || one === "–" ? one : pair(one, other);
    };
    const most = () => as(top);
    say(big, "live.value", { value });
    say(from, top ? "live.most" : "live.none", { most });
    say(picture, "live.label", { what: () => text(`live.${name}`), value, most }, "label");
  };
  return { node, update };
};

const reasons = (counts) => {
  const parts = Object.entries(counts.refused).map(([code, n]) => () => `${reason(code)} ${count(n)}`);
  if (counts.failed) parts.push(() => `${text("live.failed")} ${count(counts.failed)}`);
  if (counts.cancelled) parts.push(() => `${text("live.cancelled")} ${count(counts.cancelled)}`);
  return parts;
};

export const reason = (code) => (known(`refusal.${code}`) ? text(`refusal.${code}`) : code);

const happened = (points) => points.some((one) => one.requests || one.refused || one.waiting || one.running);

const card = (model) => {
  const state = el("span", { class: "badge" });
  const version = says("span", "live.version", { version: model.version }, { class: "sub" });
  const facts = { engine: model.engine, size: () => bytes(model.bytes), artifact: model.artifact };
  const about = says("p", "live.about", facts, { class: "note" });
  const charts = CHARTS.filter(([, , , has]) => has(model)).map(([name, series, as]) => chart(name, series, as));
  const tiles = el("div", { class: "tiles" }, charts.map((one) => one.node)), so = el("p", { class: "note" });
  const head = el("h3", {}, data(model.name), " ", version, " ", state);
  const node = el("article", { class: "card model" }, head, about, tiles, so);
  const update = (now) => {
    state.className = `badge ${TONES[now.state] || ""}`;
    say(state, known(`state.${now.state}`) ? `state.${now.state}` : "state.other", { state: now.state });
    tiles.hidden = !happened(line(now));
    charts.forEach((one) => one.update(line(now)));
    const parts = reasons(now.counts);
    const key = !parts.length ? "live.since.none" : "live.since";
    say(so, now.counts.answered || parts.length ? key : "live.since.nothing", {
      n: () => count(now.counts.answered), reasons: () => parts.map((part) => part()).join(text("page.comma")),
    });
  };
  return { node, update };
};

export const update = (status) => {
  const place = one("#models");
  const present = new Set(status.models.map(idOf));
  for (const [id, old] of cards) if (!present.has(id)) { old.node.remove(); cards.delete(id); }
  for (const model of status.models) {
    if (!cards.has(idOf(model))) { cards.set(idOf(model), card(model)); place.append(cards.get(idOf(model)).node); }
    cards.get(idOf(model)).update(model);
  }
  totals(status);
};

// The five numbers below the heading: of all models together; latencies are those of the slowest.
const TOTALS = ["requests", "p50", "p99", "waiting", "refused"];
const tiles = new Map();

const totals = (status) => {
  const place = one("#totals");
  if (!tiles.size) {
    for (const name of TOTALS) {
      const big = el("div", { class: "big" });
      const from = el("div", { class: "from" });
      tiles.set(name, [big, from]);
      place.append(el("div", { class: "tile" }, says("div", `total.${name}`, {}, { class: "what" }), big, from));
    }
  }
  const now = status.models.map((model) => last(line(model))).filter(Boolean);
  const all = (of) => now.map(of).filter((value) => value !== null);
  const added = (of) => (all(of).length ? all(of).reduce((a, b) => a + b, 0) : null);
  const most = (of) => (all(of).length ? Math.max(...all(of)) : null);
  const put = (name, value, key, values) => {
    const [big, from] = tiles.get(name);
    say(big, "live.value", { value });
    say(from, key, values);
  };
  const sum = (of) => status.models.reduce((found, model) => found + of(model), 0);
  const total = (of) => ({ n: () => count(sum(of)) });
  put("requests", () => shown(added((p) => p.requests), amount), "total.answered", total((m) => m.counts.answered));
  put("p50", () => shown(most((p) => p.p50), seconds), "total.slowest", {});
  put("p99", () => shown(most((p) => p.p99), seconds), "total.slowest", {});
  put("waiting", () => shown(added((p) => p.waiting), whole), "total.running", total((m) => m.gauges.running));
  put("refused", () => shown(added((p) => p.refused), amount), "total.refusals", total((m) => refusals(m.counts)));
  place.hidden = false;
};
