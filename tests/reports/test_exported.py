"""The page of an exported folder: both languages, the verdict, the numbers, and no markup out of the data."""

from __future__ import annotations

from dataclasses import replace

from lighten.core.target import Way
from lighten.reports.exported import WORDS, ExportFacts, exported_page, same_sentence

FACTS = ExportFacts(
    name="reviews",
    title=("an ONNX folder", "ONNX 文件夹"),
    about=("What it is.", "它是什么。"),
    ways=(Way(("Alone", "单独"), "python run.py 'x'"), Way(("With a loader", "用加载器"), "import x", "python")),
    verdict={"en": "It is half the size; accuracy holds.", "zh": "大小减半；准确率保持。"},
    labels=("good", "<b>bad</b>"),
    rows=64,
    apart=2.4e-8,
    asked="select",
    changed=0,
    format="onnx-int8",
    way=("export.onnx",),
    version="1.0",
)


def test_both_languages_say_the_same_things() -> None:
    english, chinese = exported_page(FACTS).split("\n\n---\n\n")
    assert english.count("```") == chinese.count("```") == 4
    assert "accuracy holds" in english and "准确率保持" in chinese
    assert english.count("\n#") == chinese.count("\n#")
    assert set(WORDS["en"]) == set(WORDS["zh"])


def test_numbers_stand_in_the_sentence() -> None:
    assert "64 inputs" in same_sentence(64, 2.4e-8, "en") and "3e-08" in same_sentence(64, 2.4e-8, "en")
    assert "than 0.005." in same_sentence(64, 0.005, "en") and "than 0.002." in same_sentence(64, 0.00101, "en")
    assert "last digit" in same_sentence(64, 0.0, "en")
    assert "probability" not in same_sentence(4, None, "en")
    assert "byte for byte" in same_sentence(0, None, "en")


def test_it_is_said_what_was_asked_and_that_labels_changed_places() -> None:
    for lang, rows, same, changed in (
        ("en", "(rows of the run)", "all labels are the same", "2 of them got another label"),
        ("zh", "（运行中的行）", "标签全部一致", "其中 2 个输入的标签不同"),
    ):
        told = same_sentence(16, 0.01, lang, asked="select", changed=0)
        assert rows in told and same in told
        told = same_sentence(16, 0.01, lang, asked="select", changed=2)
        assert changed in told and same not in told
        assert same not in same_sentence(16, 0.01, lang), "nobody knows"
    assert "4 inputs (built-in examples)" in same_sentence(4, None, "en", asked="examples")


def test_a_label_is_no_markup_and_a_model_without_a_run_says_so() -> None:
    assert "<b>" not in exported_page(FACTS)
    assert "no summary of a run" in exported_page(replace(FACTS, verdict={}))
