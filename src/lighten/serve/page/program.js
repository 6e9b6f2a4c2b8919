// How the same is asked from a shell.
import { all, one } from "./dom.js";
import { hasKey } from "./server.js";
import { idOf } from "./pulse.js";

const address = (path) => new URL(path, document.baseURI).href;
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const EXAMPLE = { made: "what a film", talk: "Name a river.", continue: "Once upon a time" };

// model, mode: see try.js. typed: what stands in the input.
export const show = (model, mode, typed) => {
  const words = [address(mode === "talk" ? "v1/chat/completions" : mode === "continue" ? "v1/completions" : `predict/${encodeURIComponent(model.name)}`)];
  if (hasKey()) words.push('-H "Authorization: Bearer $KEY"');
  const said = typed.trim() ? typed : EXAMPLE[mode];
  const bodies = {
    talk: () => ({ model: idOf(model), messages: [{ role: "user", content: said }], stream: true }),
    continue: () => ({ model: idOf(model), prompt: said, max_tokens: 64 }),
    made: () => ({ inputs: [model.columns.length > 1 ? Object.fromEntries(model.columns.map((name) => [name, "..."])) : said], version: model.version }),
  };
  if (model.files) words.push('-H "Content-Type: application/octet-stream" --data-binary @', `file${model.files[0] || ""}`);
  else words.push("-d", quoted(JSON.stringify(bodies[mode]())));
  one("#command").textContent = `curl ${words.join(" ").replace("@ ", "@")}`;
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
