"""A network in safetensors with the command line of vLLM, where it is of a kind that vLLM reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from lighten.core.artifact import LEARNED, RECORD
from lighten.core.readers import reader_in
from lighten.core.target import RUN, Source, Target, Way
from lighten.files.json_file import read_object
from lighten.nets.facts import SHAPES
from lighten.nets.language.network import METADATA
from lighten.targets._hf import CONFIG, known_class, pinned, write_json, write_reading

WRITERS = frozenset({
    "Gemma2ForCausalLM", "Gemma3ForCausalLM", "GemmaForCausalLM", "LlamaForCausalLM", "MistralForCausalLM",
    "Phi3ForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM",
})  # fmt: skip
"""Language models of lighten's families that vLLM runs (its list of supported models, release 0.10)."""
JUDGES = frozenset({
    "BertForSequenceClassification", "ModernBertForSequenceClassification", "RobertaForSequenceClassification",
    "XLMRobertaForSequenceClassification", "Gemma2ForSequenceClassification", "Gemma3ForSequenceClassification",
    "GemmaForSequenceClassification", "LlamaForSequenceClassification", "MistralForSequenceClassification",
    "Phi3ForSequenceClassification", "Qwen2ForSequenceClassification", "Qwen3ForSequenceClassification",
})  # fmt: skip
"""The same of classifiers: its pooling models, and language models with a head."""
LEFT_OUT = (RECORD, LEARNED, METADATA, "README.md")
"""Files of an artifact that are lighten's own."""
WRITER = '''"""Goes on with texts in transformers alone: python run.py 'Once upon a time', or one line each on stdin."""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).resolve().parent
tokenizer = AutoTokenizer.from_pretrained(HERE)
model = AutoModelForCausalLM.from_pretrained(HERE, dtype=torch.{dtype}).eval()


def answer(text, most=24):
    """What the model goes on with, the most likely token at each place."""
    inputs = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        made = model.generate(**inputs, max_new_tokens=most, do_sample=False, num_beams=1)
    asked = tokenizer.decode(inputs["input_ids"][0], skip_special_tokens=True)
    return {{"answer": tokenizer.decode(made[0], skip_special_tokens=True)[len(asked) :]}}


if __name__ == "__main__":
    for text in sys.argv[1:] or (line.rstrip("\\n") for line in sys.stdin):
        print(answer(text)["answer"])
'''
JUDGE = '''"""Answers with transformers alone: python run.py 'a text' ..., or one line each on stdin."""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

HERE = Path(__file__).resolve().parent
tokenizer = AutoTokenizer.from_pretrained(HERE)
model = AutoModelForSequenceClassification.from_pretrained(HERE, dtype=torch.{dtype}).eval()
LABELS = model.config.id2label


def answer(text):
    """The label of a text, and the probability of each."""
    with torch.inference_mode():
        shares = model(**tokenizer(text, truncation=True, return_tensors="pt")).logits[0].double().softmax(-1)
    return {{"label": LABELS[int(shares.argmax())], "scores": {{LABELS[i]: float(x) for i, x in enumerate(shares)}}}}


if __name__ == "__main__":
    for text in sys.argv[1:] or (line.rstrip("\\n") for line in sys.stdin):
        print(json.dumps(answer(text), ensure_ascii=False))
'''


EXAMPLE = "Once upon a time"


class Vllm(Target):
    """A folder as the hub has it, of an architecture that vLLM knows, with every layer of one size."""

    title: ClassVar[tuple[str, str]] = ("a folder for vLLM", "供 vLLM 使用的文件夹")
    consumes: ClassVar[tuple[str, ...]] = ("hf", "hf-causal")
    extra: ClassVar[str] = "train"

    def check(self, source: Source) -> str:
        """See :meth:`Target.check`."""
        config = read_object(source.artifact.path / CONFIG, missing={})
        named = [str(name) for name in config.get("architectures") or ["network without a name"]]
        if named[0] not in WRITERS | JUDGES:
            return f"it is a {named[0]}, and vLLM runs {', '.join(sorted(WRITERS | JUDGES))}"
        if SHAPES in config:
            return "its layers have been cut to sizes that differ from one another, which vLLM has no way to say"
        return ""

    def write(self, source: Source, folder: Path) -> None:
        """See :meth:`Target.write`."""
        artifact = source.artifact
        for name in artifact.files:
            if name not in LEFT_OUT:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(artifact.path / name, folder / name)
        if not self.writes(source):
            config, labels = read_object(folder / CONFIG), source.labels
            config["id2label"] = {str(i): label for i, label in enumerate(labels)}
            config["label2id"] = {label: i for i, label in enumerate(labels)}
            config["problem_type"] = source.task.problem_type
            write_json(folder / CONFIG, config)
            write_reading(reader_in(artifact.path).plain(), folder, ("input_ids", "attention_mask"))
        else:
            known_class(folder / "tokenizer_config.json")
        text = WRITER if self.writes(source) else JUDGE
        (folder / RUN).write_text(text.format(dtype=self._dtype(source)), encoding="utf-8")
        (folder / "requirements.txt").write_text(pinned(("torch", "transformers")), encoding="utf-8")

    def _dtype(self, source: Source) -> str:
        """Number format that it was measured in."""
        return str(source.engine.get("dtype", "float32"))

    def about(self, source: Source) -> tuple[str, str]:
        """See :meth:`Target.about`."""
        return (
            "A network in safetensors as the Hugging Face hub has it, of an architecture that vLLM runs. run.py asks "
            "it with transformers; vLLM itself was not asked when this folder was written.",
            "按 Hugging Face hub 布局的 safetensors 网络，其架构受 vLLM 支持。"
            "run.py 用 transformers 询问；写出此文件夹时并未运行 vLLM 本身。",
        )

    def ways(self, source: Source) -> Sequence[Way]:
        """See :meth:`Target.ways`."""
        name, dtype = source.name, self._dtype(source)
        serve = f"vllm serve . --served-model-name {name} --dtype {dtype} --port 8000"
        if self.writes(source):
            place, said = "v1/completions", {"prompt": EXAMPLE, "max_tokens": 24, "temperature": 0}
        else:
            serve += " --runner pooling"
            place, said = "classify", {"input": [EXAMPLE]}
        body = json.dumps({"model": name, **said})
        asked = f"curl -s http://127.0.0.1:8000/{place} -H 'content-type: application/json' \\\n  -d '{body}'"
        return [
            Way(("With vLLM", "用 vLLM"), f"{serve}\n{asked}"),
            Way(
                ("With transformers", "用 transformers"),
                f"pip install -r requirements.txt\npython {RUN} '{EXAMPLE}'",
            ),
        ]

    def writes(self, source: Source) -> bool:
        """See :meth:`Target.writes`."""
        return source.artifact.format == "hf-causal"
