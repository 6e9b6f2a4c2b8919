"""Which files of an HF folder are its weights: one, or the parts that the index names; not what else lies beside."""

from __future__ import annotations

from pathlib import Path

from lighten.core.artifact import LEARNED
from lighten.core.errors import ModelError
from lighten.files.json_file import read_object

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"

WANTED = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja",
    "vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spm.model", "spiece.model", "tokenizer.model",
    LEARNED,
)  # fmt: skip
"""Files beside the weights that are copied."""


def weight_files(folder: Path) -> list[str]:
    """Names of the files at the top of ``folder``, sorted; the index is not among them.

    Raises:
        ModelError: there is none, a part is missing, or nobody says which ones belong together.
    """
    shards = sorted(path.name for path in folder.glob("*.safetensors") if not path.name.startswith("adapter_"))
    if not shards:
        raise ModelError(f"{folder} has no weights.", allowed="model.safetensors, whole or in parts with their index")
    if WHOLE in shards:
        return [WHOLE]
    if not (folder / INDEX).is_file():
        if len(shards) == 1:
            return shards
        raise ModelError(f"{folder} has {len(shards)} weights files and no {INDEX}.", allowed="one file, or an index")
    table = read_object(folder / INDEX).get("weight_map")
    parts = sorted(set(map(str, table.values()))) if isinstance(table, dict) else []
    missing = [name for name in parts if name not in shards]
    if missing or not parts:
        raise ModelError(
            f"{folder} lacks {', '.join(missing) or 'the parts'} that {INDEX} names.", fix="download it again"
        )
    return parts
