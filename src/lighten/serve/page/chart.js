// A small chart: lines over the last two minutes, from the least that is shown to the most.
import { svg } from "./dom.js";
import { KEPT } from "./pulse.js";

const WIDE = 240, HIGH = 48, EDGE = 2;

// The path of one line; where there is no value there is a gap, and a value by itself is a dot.
const path = (points, top) => {
  let drawn = "", down = false;
  points.forEach(([age, value], place) => {
    if (value === null) { down = false; return; }
    const x = (WIDE * (1 - age / KEPT)).toFixed(1), y = (HIGH - EDGE - (value / top) * (HIGH - 2 * EDGE)).toFixed(1);
    const next = points[place + 1];
    drawn += down ? `L${x} ${y}` : !next || next[1] === null ? `M${x} ${y}h0.01` : `M${x} ${y}`;
    down = true;
  });
  return drawn;
};

// line: of a model (see pulse.js). series: [name of what is drawn, class]. Returns the most that is drawn.
export const draw = (node, line, series) => {
  const now = line.length ? line[line.length - 1].clock : 0;
  const lines = series.map(([name]) => line.map((one) => [now - one.clock, one[name]]));
  const top = Math.max(0, ...lines.flat().map(([, value]) => value ?? 0));
  const base = svg("line", { x1: 0, y1: HIGH - EDGE, x2: WIDE, y2: HIGH - EDGE, class: "base" });
  const paths = lines.map((points, place) => svg("path", { d: path(points, top || 1), class: series[place][1] }));
  node.replaceChildren(base, ...paths);
  return top;
};

export const frame = () =>
  svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", class: "spark", role: "img" });
