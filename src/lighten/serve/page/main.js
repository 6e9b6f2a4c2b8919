// The page: who is there, what it is called, and which parts of it there are.
import { data, one } from "./dom.js";
import { count } from "./numbers.js";
import { begin, known, onSwitch, say, text } from "./say.js";
import { forgetKey, hasKey, onLocked, takeKey } from "./server.js";
import { idOf, look, onLost, onStatus } from "./pulse.js";
import { TONES, update as updateLive } from "./live.js";
import { start as startProgram } from "./program.js";
import { update as updateReview } from "./review.js";
import { start as startTry, update as updateTry } from "./try.js";
import { update as updateVersions } from "./versions.js";

const state = one("#state"), found = one("#found"), made = one("#made");
const lock = one("#lock"), key = one("#key"), keyButton = one("#forget");
let status = null;

const tell = (tone, key, values, headline, told = {}) => {
  state.className = `state ${tone}`;
  say(state, key, values);
  say(found, headline, told);
};

const name = () => {
  const names = status ? [...new Set(status.models.map((model) => model.name))] : [];
  document.title = names.length ? `lighten: ${names.join(", ")}` : "lighten";
  one("#names").replaceChildren(...names.flatMap((one, place) => [place ? ", " : "", data(one)]));
};

const answered = (told) => {
  status = told;
  const waits = told.models.filter((model) => model.state !== "ready");
  const stateKey = known(`state.${told.state}`) ? `state.${told.state}` : "state.other";
  const names = new Set(told.models.map((model) => model.name)).size, every = told.models.length;
  const ready = names === every ? "found.ready" : "found.ready.versions";
  const headline = told.ready ? ready : told.state === "draining" ? "found.draining" : "found.waits";
  tell(TONES[told.state] || "warn", stateKey, { state: told.state }, headline, {
    n: () => count(names), versions: () => count(every),
    names: () => waits.map((model) => (names === every ? model.name : idOf(model))).join(text("page.comma")),
  });
  say(made, "page.about", { version: told.version, address: location.host });
  name();
  for (const id of ["toc", "sections"]) one(`#${id}`).hidden = false;
  updateLive(told);
  updateTry(told);
  updateReview(told);
  updateVersions(told);
  showKeyButton(false);
};

// The button beside the languages forgets the key that there is, and asks for the one that is needed.
const showKeyButton = (needed) => {
  keyButton.hidden = !hasKey() && !needed;
  say(keyButton, hasKey() ? "key.forget" : "key.give");
};

const lost = (error) => {
  if (error.status === 401) { tell("warn", "state.locked", {}, "found.locked"); showKeyButton(true); return; }
  if (error.status > 0) tell("bad", "state.silent", {}, "found.silent", { status: error.status });
  else tell("bad", "state.gone", {}, status ? "found.gone" : "found.never");
};

const askForKey = (wrong) => {
  say(one("#wrong"), wrong ? "key.wrong" : "");
  forgetKey();
  if (!lock.open) lock.showModal();
  key.value = "";
  key.focus();
};

const start = () => {
  begin();
  tell("waits", "state.connecting", {}, "found.connecting");
  startTry();
  startProgram();
  onSwitch(name);
  onStatus(answered);
  onLost(lost);
  onLocked(askForKey);
  one("#unlock").addEventListener("submit", (event) => {
    event.preventDefault();
    takeKey(key.value.trim());
    lock.close();
    look();
  });
  keyButton.addEventListener("click", () => {
    if (!hasKey()) { askForKey(false); return; }
    forgetKey();
    location.reload();
  });
  look();
};

start();
