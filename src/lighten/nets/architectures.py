"""What ``config.json`` of a folder says that its model is, by ``architectures`` first and by ``model_type`` second."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from lighten.core.errors import ModelError
from lighten.nets.gguf.families import FAMILIES as LANGUAGE_FAMILIES

CLASSIFIER, ENCODER, CAUSAL, TEXT_PART = "classifier", "encoder", "causal", "text-part"
"""Has a head that classifies texts; has none, and gets one; writes text; writes text when its eyes are left out."""

ENCODERS = (
    "bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra", "mpnet", "deberta-v2", "albert",
    "modernbert", "mobilebert", "deberta", "ernie",
)  # fmt: skip
"""Encoder families (``model_type``) that lighten opens: those that every engine answers as transformers' pipeline does,
a text in a batch as alone. ConvBERT is none of them: its convolutions read the padding of a batch."""

DECODERS = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3")
"""Decoder families that lighten opens with a head that classifies: rerankers, guards, what LoRA was trained for."""

WRITERS = tuple(dict.fromkeys(family.model_type for family in LANGUAGE_FAMILIES))
"""Decoder families that lighten opens as language models."""

PICTURES = (
    "resnet", "mobilenet_v1", "mobilenet_v2", "efficientnet", "convnext", "convnextv2", "vit", "deit", "swin",
    "swinv2",
)  # fmt: skip
"""Families that lighten opens to classify pictures."""
HEADED = ("ForImageClassification", "ForImageClassificationWithTeacher")
"""How the name of an architecture ends that classifies pictures."""

HEADS = ("classifier", "score")
"""First part of the names of the weights that only a head which classifies texts has."""
PICTURE_HEADS = ("classifier", "cls_classifier", "distillation_classifier")
"""The same of a head which classifies pictures."""

SEQ2SEQ = frozenset({
    "t5", "mt5", "umt5", "longt5", "t5gemma", "bart", "mbart", "mvp", "pegasus", "pegasus_x", "marian", "m2m_100",
    "blenderbot", "blenderbot-small", "led", "prophetnet", "nllb-moe", "switch_transformers", "fsmt", "bert-generation",
})  # fmt: skip
SOUND = ("wav2vec2", "whisper", "hubert", "wavlm", "sew", "unispeech", "data2vec-audio", "speech", "seamless", "audio",
         "musicgen", "encodec", "clap", "bark", "vits", "moonshine", "parakeet")  # fmt: skip
SIGHT = ("vit", "deit", "beit", "swin", "convnext", "resnet", "clip", "siglip", "dino", "detr", "yolos", "segformer",
         "mobilenet", "mobilevit", "efficientnet", "regnet", "poolformer", "mask2former", "sam", "blip", "layoutlm",
         "vision", "image", "trocr", "donut", "depth", "timm")  # fmt: skip
_TASKS = ("ForImage", "ForObject", "ForSemantic", "ForMaskedImage", "ForDepth", "ForZeroShotImage", "ForUniversal")
_SPEECH = ("ForCTC", "ForAudio", "ForSpeech", "ForXVector")

METHODS: Mapping[str, str] = {
    "gptq": "GPTQ", "awq": "AWQ", "bitsandbytes": "bitsandbytes", "compressed-tensors": "compressed-tensors",
    "fp8": "FP8", "fbgemm_fp8": "FP8", "mxfp4": "MXFP4", "aqlm": "AQLM", "hqq": "HQQ", "eetq": "EETQ",
    "quanto": "quanto", "exl2": "EXL2", "exl3": "EXL3", "torchao": "torchao", "higgs": "HIGGS", "spqr": "SpQR",
    "vptq": "VPTQ",
}  # fmt: skip


_LOADERS: Mapping[str, str] = {
    "ForSequenceClassification": "AutoModelForSequenceClassification",
    "ForImageClassification": "AutoModelForImageClassification",
    "ForCausalLM": "AutoModelForCausalLM",
    "LMHeadModel": "AutoModelForCausalLM",
    "ForConditionalGeneration": "AutoModelForImageTextToText",
    "ForMaskedLM": "AutoModelForMaskedLM",
    "ForPreTraining": "AutoModelForPreTraining",
    "ForMaskedImageModeling": "AutoModelForMaskedImageModeling",
    "ForTokenClassification": "AutoModelForTokenClassification",
    "ForQuestionAnswering": "AutoModelForQuestionAnswering",
}
"""What of transformers opens an architecture with everything that it has, by the end of its name."""


def named_architectures(config: Mapping[str, Any]) -> tuple[str, ...]:
    """What ``architectures`` of a config names, a list of names or one name; empty where it names none."""
    told = config.get("architectures")
    return tuple(map(str, told)) if isinstance(told, list) else (told,) if told and isinstance(told, str) else ()


def loader_of(config: Mapping[str, Any]) -> str:
    """The class of transformers that opens what a config describes without leaving out or making up a head."""
    name, type_ = next(iter(named_architectures(config)), ""), config.get("model_type")
    if not name and type_ in PICTURES:
        name = HEADED[0] if "id2label" in config else ""
    elif not name and "id2label" in config and type_ in (*ENCODERS, *DECODERS):
        name = "ForSequenceClassification"
    elif not name and type_ in WRITERS:
        name = "ForCausalLM"
    return next((loader for end, loader in _LOADERS.items() if name.endswith(end)), "AutoModel")


def is_for_pictures(config: Mapping[str, Any]) -> bool:
    """Whether a config is that of a network which classifies pictures, or could with a head."""
    headed = any(name.endswith(HEADED) for name in named_architectures(config))
    return headed or config.get("model_type") in PICTURES


def is_headed(
    config: Mapping[str, Any], tensors: Iterable[str], ends: str | tuple[str, ...], heads: Collection[str]
) -> bool:
    """Whether a network has a head: as its config names it, and where that names nothing by the names of its weights.

    Args:
        ends: how the name of an architecture with such a head ends. heads: first part of the names of its weights.
    """
    named = named_architectures(config)
    if named:
        return any(name.endswith(ends) for name in named)
    return any(name.partition(".")[0] in heads for name in tensors)


def kind_of_config(
    where: str, config: Mapping[str, Any], tensors: Iterable[str] = (), *, headless: bool = False
) -> tuple[str, str]:
    """Kind and name of the architecture.

    Args:
        where: what the user calls the model, for the message. config: ``config.json``. tensors: names of its weights,
            which tell of a head where the config names no architecture. headless: a decoder that lighten does not open
            to write is one without a head.

    Raises:
        ModelError: one that lighten cannot use, by its right name.
    """
    name = next(iter(named_architectures(config)), "")
    headed = is_headed(config, tensors, "ForSequenceClassification", HEADS)
    type_ = str(config.get("model_type") or "")
    shown = name or type_
    refuse_quantized(where, config)
    if isinstance(config.get("text_config"), dict) and not name.endswith("ForSequenceClassification"):
        return _with_text_part(where, config, shown)
    if _is_of(type_, name, SOUND, _SPEECH):
        raise _other(where, shown, "a model of speech or sound", "a model of texts")
    if type_ not in (*ENCODERS, *DECODERS, *WRITERS) and _is_of(type_, name, SIGHT, _TASKS):
        raise _other(where, shown, "a model of images", f"models of texts; classifiers of {', '.join(PICTURES)}")
    if type_ in SEQ2SEQ or config.get("is_encoder_decoder"):
        raise _other(
            where,
            shown,
            "a sequence-to-sequence model",
            "text classifiers and causal language models",
        )
    if headed and type_ in (*ENCODERS, *DECODERS):
        return CLASSIFIER, shown
    if name.endswith("ForSequenceClassification"):
        raise _unknown(where, f"{name}, model_type {type_ or None!r}", "a text classifier", (*ENCODERS, *DECODERS))
    if type_ in ENCODERS:
        return ENCODER, shown
    if name.endswith(("ForCausalLM", "LMHeadModel")) or (not name and type_ in WRITERS):
        if type_ in WRITERS:
            return CAUSAL, shown
        if not (headless and type_ in DECODERS):
            raise _unknown(where, f"{name}, model_type {type_ or None!r}", "a language model", WRITERS, fix=_CONVERT)
    if type_ in DECODERS:
        return ENCODER, shown  # a decoder without a head: an embedding model, or one whose head was left out
    raise ModelError(
        f"{where} holds the architecture {shown or None!r}, which lighten does not know.",
        allowed=f"classifiers and encoders of {', '.join((*ENCODERS, *DECODERS))}; "
        f"language models of {', '.join(WRITERS)}, or any GGUF file that llama.cpp runs",
    )


_CONVERT = "convert it with llama.cpp's convert_hf_to_gguf.py and give the file: it is quantized tensor by tensor"


def refuse_quantized(where: str, config: Mapping[str, Any]) -> None:
    """Refuse weights that are quantized already.

    Raises:
        ModelError: config.json says that they are, and how.
    """
    told = config.get("quantization_config") or config.get("compression_config")
    if not told and isinstance(config.get("quantization"), dict):
        told = {"quant_method": "MLX"}
    if not told:
        return
    method = str(told.get("quant_method") or "") if isinstance(told, dict) else ""
    if not method and isinstance(told, dict) and any(str(key).startswith(("load_in_", "bnb_")) for key in told):
        method = "bitsandbytes"
    raise ModelError(
        f"{where} is quantized already, with {METHODS.get(method, method) or 'a method that it does not name'} "
        "(quantization_config in config.json).",
        allowed="float weights (F32, F16, BF16), or a GGUF file",
        fix="bring the model from before it was quantized; its card names it, mostly as base_model",
    )


def _with_text_part(where: str, config: Mapping[str, Any], shown: str) -> tuple[str, str]:
    inner = str(config["text_config"].get("model_type") or "")
    if inner in WRITERS and shown.endswith(("ForConditionalGeneration", "ForCausalLM")):
        return TEXT_PART, shown
    raise ModelError(
        f"{where} is a model of texts and images or sound ({shown}), and its text part is {inner or 'unnamed'!r}.",
        allowed=f"models of texts; of others the text part, where that is {', '.join(WRITERS)}",
        fix=_CONVERT,
    )


def _is_of(type_: str, name: str, parts: tuple[str, ...], tasks: tuple[str, ...]) -> bool:
    begins = any(re.match(rf"{part}(?![a-z])|{part}_", type_) or part in re.split(r"[-_]", type_) for part in parts)
    return begins or any(task in name for task in tasks)


def _other(where: str, shown: str, what: str, allowed: str) -> ModelError:
    return ModelError(f"{where} is {what} ({shown}).", allowed=allowed, fix="bring a model of one of these kinds")


def _unknown(where: str, shown: str, what: str, known: tuple[str, ...], fix: str = "") -> ModelError:
    return ModelError(
        f"{where} is {what} of an architecture that lighten does not open ({shown}).",
        allowed=", ".join(known),
        fix=fix or "bring a model of one of these families",
    )
