// What the server says of itself, asked every other second while somebody looks, and what follows from two answers.
import { ask } from "./server.js";

const EVERY = 2000; // milliseconds between two looks
const LONGEST = 15000; // and at the most where the server cannot be reached
const SPAN = 10; // seconds over which rates and latencies are told
export const KEPT = 120; // seconds that charts show

const heard = [];
const lost = [];
export const onStatus = (called) => heard.push(called);
export const onLost = (called) => lost.push(called);

const looks = new Map(); // of each model, what was counted at each look
const lines = new Map(); // of each model, what is drawn

export const idOf = (model) => `${model.name}:${model.version}`;
export const line = (model) => lines.get(idOf(model)) || [];

const sum = (values) => values.reduce((a, b) => a + b, 0);
export const refusals = (counts) => sum(Object.values(counts.refused));

// The value below which a share of what came between two looks lies, told by the counts of buckets; null without any.
export const quantile = (edges, before, after, share) => {
  const counts = after.map((n, place) => n - (before[place] || 0));
  const wanted = sum(counts) * share;
  if (!wanted) return null;
  let held = 0;
  for (let place = 0; place < counts.length; place += 1) {
    if (counts[place] && held + counts[place] >= wanted) {
      const high = edges[Math.min(place, edges.length - 1)];
      const low = place ? edges[place - 1] : high * (edges[0] / edges[1]);
      return low * (high / low) ** ((wanted - held) / counts[place]);
    }
    held += counts[place];
  }
  return edges[edges.length - 1];
};

// What happened between two looks at one model.
const between = (edges, from, to) => {
  const seconds = to.clock - from.clock;
  const [a, b] = [from.counts, to.counts];
  const rate = (of) => (seconds > 0 ? (of(b) - of(a)) / seconds : null);
  const batches = b.batches - a.batches;
  return {
    clock: to.clock,
    requests: rate((c) => c.answered),
    refused: rate(refusals),
    tokens: b.tokens === undefined ? null : rate((c) => c.tokens),
    p50: quantile(edges, a.latency, b.latency, 0.5),
    p99: quantile(edges, a.latency, b.latency, 0.99),
    first: b.first ? quantile(edges, a.first, b.first, 0.5) : null,
    batch: batches > 0 ? (b.batched - a.batched) / batches : null,
    waiting: to.gauges.waiting,
    running: to.gauges.running,
  };
};

const began = (before, look) => before.clock > look.clock || before.counts.answered > look.counts.answered;

const take = (status) => {
  const present = new Set();
  for (const model of status.models) {
    const id = idOf(model);
    present.add(id);
    const look = { clock: status.clock, counts: model.counts, gauges: model.gauges };
    let past = looks.get(id) || [];
    if (past.length && began(past[past.length - 1], look)) { past = []; lines.delete(id); }
    past = [...past.filter((one) => look.clock - one.clock <= KEPT), look];
    looks.set(id, past);
    if (past.length < 2) continue;
    const from = past.find((one) => look.clock - one.clock <= SPAN + 1) || past[past.length - 2];
    const start = from === look ? past[past.length - 2] : from;
    const drawn = (lines.get(id) || []).filter((one) => look.clock - one.clock <= KEPT);
    lines.set(id, [...drawn, between(status.edges, start, look)]);
  }
  for (const id of looks.keys()) if (!present.has(id)) { looks.delete(id); lines.delete(id); }
};

let timer = 0;
let pause = EVERY;
let asking = false;

export const look = async () => {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  let status = null, error = null;
  try {
    status = await (await ask("status")).json();
  } catch (caught) {
    error = caught;
  }
  asking = false;
  pause = status ? EVERY : Math.min(LONGEST, pause * 1.5);
  if (!document.hidden && !(error && error.status === 401)) timer = setTimeout(look, pause); // until there is a key
  if (error) { lost.forEach((called) => called(error)); return; }
  take(status);
  heard.forEach((called) => called(status));
};

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer); else look();
});
