// Asking the server: with the key, if there is one, and with errors that say what to do.
import { data, el } from "./dom.js";
import { count } from "./numbers.js";
import { known, says } from "./say.js";

const KEPT = "lighten.key";
const WAITS = 8000; // milliseconds after which a server that says nothing is not there

// The key lies in this tab alone, and is gone with it.
const kept = (use) => { try { return use(sessionStorage); } catch { return null; } };
let key = kept((s) => s.getItem(KEPT)) || "";
export const hasKey = () => key !== "";
export const takeKey = (told) => { key = told; kept((s) => s.setItem(KEPT, told)); };
export const forgetKey = () => { key = ""; kept((s) => s.removeItem(KEPT)); };

let locked = () => {};
export const onLocked = (called) => { locked = called; };

// Why there is no answer. status: of HTTP, 0 where the server cannot be reached. after: seconds until it is worth
// asking again; null where it is not.
export class Refused extends Error {
  constructor(status, code, told = {}, after = null) {
    super(told.message || code);
    Object.assign(this, { status, code, told, after });
  }
}

// What each protocol makes of an error: an object with parts, an object with a line, or a line.
const toldIn = (body) => {
  const error = body && body.error;
  if (typeof error === "string") return { message: error };
  return error && typeof error === "object" ? error : {};
};

export const refusedBy = async (reply) => {
  const told = toldIn(await reply.json().catch(() => null));
  const after = reply.headers.get("retry-after");
  return new Refused(reply.status, String(told.code || reply.status), told, after === null ? null : Number(after));
};

export const ask = async (path, { json, signal, patient = false, keepalive = false } = {}) => {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const signals = [...(signal ? [signal] : []), ...(patient ? [] : [AbortSignal.timeout(WAITS)])];
  let reply;
  try {
    reply = await fetch(path, {
      method: json === undefined ? "GET" : "POST",
      body: json === undefined ? undefined : JSON.stringify(json),
      headers, keepalive, cache: "no-store", credentials: "omit", redirect: "error",
      signal: signals.length ? AbortSignal.any(signals) : undefined,
    });
  } catch (error) {
    if (signal && signal.aborted) throw error;
    throw new Refused(0, "gone");
  }
  if (reply.ok) return reply;
  const refused = await refusedBy(reply);
  if (reply.status === 401) locked(key !== "");
  throw refused;
};

// Events of a stream, each its text.
export const events = async function* (reply) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += value;
    for (let end = held.indexOf("\n\n"); end >= 0; end = held.indexOf("\n\n")) {
      const event = held.slice(0, end);
      held = held.slice(end + 2);
      if (event.startsWith("data: ")) yield event.slice(6);
    }
  }
};

export const isStopped = (error) => error instanceof DOMException && error.name === "AbortError";

// What an error says, in words: ours first, then the server's own. again: what is done by the button, if it can help.
export const problem = (error, again) => {
  const refused = error instanceof Refused ? error : new Refused(-1, "page", { message: String(error) });
  const { told } = refused;
  const ours = `error.${refused.code}`, byStatus = `error.${refused.status}`;
  const line = known(ours) ? ours : known(byStatus) ? byStatus : "error.other";
  const node = el("div", { class: "problem" }, says("b", line, { status: refused.status }));
  if (told.message) node.append(el("p", { lang: "en" }, data(told.message)));
  for (const name of ["allowed", "fix"]) {
    const words = told[name] && data(told[name], { lang: "en" });
    if (words) node.append(el("p", { class: "note" }, says("span", `error.${name}`), " ", words));
  }
  const soon = { n: () => count(refused.after) };
  if (refused.after !== null) node.append(says("p", "error.after", soon, { class: "note" }));
  if (again && (refused.after !== null || refused.status === 0 || refused.status >= 500)) {
    const button = says("button", "error.again", {}, { type: "button" });
    button.addEventListener("click", again);
    node.append(button);
  }
  return node;
};
