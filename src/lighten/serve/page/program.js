// How the same is asked from a shell.
import { all, one } from "./dom.js";
import { hasKey } from "./server.js";
import { idOf } from "./pulse.js";

const address = (path) => new URL(path, document.baseURI).href;
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const PATHS = { talk: "v1/chat/completions", continue: "v1/completions" };
const EXAMPLE = { made: "what a film", talk: "Name a river.", continue: "Once upon a time" };

// model, mode: see try.js. input: see inputs.js.
export const show = (model, mode, input) => {
  const words = [address(PATHS[mode] || `predict/${encodeURIComponent(model.name)}`)];
  if (hasKey()) words.push('-H "Authorization: Bearer $KEY"');
  const typed = input.text().trim() !== "", said = typed ? input.text() : EXAMPLE[mode];
  const row = Object.fromEntries(model.columns.map((name) => [name, "..."]));
  const inputs = model.columns.length > 1 ? [row] : typed ? input.inputs() : [said];
  const bodies = {
    talk: () => ({ model: idOf(model), messages: [{ role: "user", content: said }], stream: true }),
    continue: () => ({ model: idOf(model), prompt: said, max_tokens: 64 }),
    made: () => ({ inputs, version: model.version }),
  };
  const file = `-H "Content-Type: application/octet-stream" --data-binary @file${(model.files || [""])[0]}`;
  words.push(model.files ? file : `-d ${quoted(JSON.stringify(bodies[mode]()))}`);
  one("#command").textContent = `curl ${words.join(" ")}`;
};

const selected = (node) => {
  const range = document.createRange();
  range.selectNodeContents(node);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  return document.execCommand("copy");
};

export const start = () => {
  const [button] = all("#copy"), source = one("#command");
  const done = () => { button.classList.add("done"); setTimeout(() => button.classList.remove("done"), 1600); };
  button.addEventListener("click", () => {
    const byHand = () => { if (selected(source)) done(); };
    if (navigator.clipboard) navigator.clipboard.writeText(source.textContent).then(done, byHand); else byHand();
  });
};
