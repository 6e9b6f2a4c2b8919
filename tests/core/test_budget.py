"""What a user writes as a budget means what it says, and what makes no sense is refused with the way to write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core.budget import ALIASES, Budget, Constraint
from lighten.core.errors import BudgetError, UnknownName
from lighten.core.result import HIGHER, LOWER, Quantity

QUALITY = [
    Quantity("accuracy", "fraction", HIGHER, "."),
    Quantity("worst_group", "fraction", HIGHER, "."),
    Quantity("calibration_error", "fraction", LOWER, "."),
    Quantity("log_loss", "nats", LOWER, "."),
    Quantity("bits_per_byte", "bits/byte", LOWER, "."),
    Quantity("exact_match", "fraction", HIGHER, "."),
]
SPEED = [
    Quantity("p95", "ms", LOWER, "."),
    Quantity("load", "s", LOWER, "."),
    Quantity("memory", "MB", LOWER, "."),
    Quantity("size", "MB", LOWER, "."),
    Quantity("cpu", "s/1000 rows", LOWER, "."),
    Quantity("rows_per_second", "rows/s", HIGHER, "."),
    Quantity("tpot", "ms", LOWER, "."),
    Quantity("decode", "tok/s", HIGHER, "."),
    Quantity("decode_cpu", "s/1000 tokens", LOWER, "."),
]
BY_NAME = {q.name: q for q in (*QUALITY, *SPEED)}


def parse(keep: list[str] | None = None, under: list[str] | None = None, minimize: str = "cpu") -> Budget:
    return Budget.parse(keep or [], under or [], minimize, quality=QUALITY, speed=SPEED)


def limit(text: str, original: float) -> float:
    """What a candidate must reach beside an original with this value."""
    name = text.split(">")[0].split("<")[0].strip()
    option = "keep" if BY_NAME.get(ALIASES.get(name, name)) in QUALITY else "under"
    budget = parse(**{option: [text]})
    (constraint,) = (*budget.keep, *budget.under)
    return constraint.limit(original, BY_NAME[constraint.metric].direction)


@pytest.mark.parametrize(
    ("text", "original", "expected"),
    [
        ("accuracy>=-1pt", 0.90, 0.89),
        ("accuracy >= -0.5 pt", 0.90, 0.895),
        ("accuracy>=-1%", 0.90, 0.89),
        ("accuracy>=-0.01", 0.90, 0.89),
        ("accuracy>=0.85", 0.90, 0.85),
        ("accuracy>=85%", 0.90, 0.85),
        ("acc>-1pt", 0.90, 0.89),
        ("worst_domain>=-2pt", 0.70, 0.68),
        ("calibration_error<=+2pt", 0.03, 0.05),
        ("calibration_error<=0.1", 0.03, 0.10),
        ("log_loss<=0.5", 0.3, 0.5),
        ("log_loss<=+0.05", 0.3, 0.35),
        ("log_loss<=+10%", 0.3, 0.33),
        ("bits_per_byte<=+1%", 1.2, 1.212),
        ("bits_per_byte<=+0.02", 1.2, 1.22),
        ("bits_per_byte<=1.1bits/byte", 1.2, 1.1),
        ("bpb<=+0.02bpb", 1.2, 1.22),
        ("em>=-2pt", 0.5, 0.48),
        ("p95<=5ms", 9.0, 5.0),
        ("p95<=0.005s", 9.0, 5.0),
        ("p95<=5000us", 9.0, 5.0),
        ("p95=<5ms", 9.0, 5.0),
        ("p95<=50%", 9.0, 4.5),
        ("p95<=-20%", 10.0, 8.0),
        ("p95<=+20%", 10.0, 12.0),
        ("load<=500ms", 3.0, 0.5),
        ("memory<=400MB", 900.0, 400.0),
        ("memory<=0.4GB", 900.0, 400.0),
        ("memory<=1GiB", 900.0, 1073.741824),
        ("size<=50%", 90.0, 45.0),
        ("size<=.5GB", 90.0, 500.0),
        ("cpu<=2.5", 9.0, 2.5),
        ("throughput>=500", 100.0, 500.0),
        ("throughput>=500rows/s", 100.0, 500.0),
        ("throughput>=200%", 100.0, 200.0),
        ("throughput>=+50%", 100.0, 150.0),
        ("throughput>=-10%", 100.0, 90.0),
        ("tpot<=0.02s", 50.0, 20.0),
        ("decode>=30", 20.0, 30.0),
        ("decode>=30tok/s", 20.0, 30.0),
        ("decode>=30tokens/s", 20.0, 30.0),
        ("decode>=200%", 20.0, 40.0),
        ("decode_cpu<=40", 90.0, 40.0),
    ],
)
def test_bounds(text: str, original: float, expected: float) -> None:
    assert limit(text, original) == pytest.approx(expected, rel=1e-12)


def test_an_absolute_bound_is_exact() -> None:
    assert limit("accuracy>=0.85", 0.917) == 0.85
    assert limit("p95<=0.1ms", 0.3) == 0.1


def test_a_margin_is_the_loss_that_is_allowed() -> None:
    (kept,) = parse(["accuracy>=0.85"]).keep
    assert kept.margin(0.9, HIGHER) == pytest.approx(0.05)
    assert kept.margin(0.8, HIGHER) == pytest.approx(-0.05)
    (kept,) = parse(["accuracy>=-1pt"]).keep
    assert kept.margin(0.9, HIGHER) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [("acuracy>=-1pt", "accuracy"), ("Accuracy>=-1pt", "accuracy"), ("worst_domian>=-1pt", "worst_domain")],
)
def test_an_unknown_floor_offers_the_nearest(text: str, nearest: str) -> None:
    with pytest.raises(UnknownName, match=nearest):
        parse([text])


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("p95<=5msec", "ms"),
        ("memory<=400mb", "MB"),
        ("p95<=5", "ms"),
        ("p95<=5MB", "us"),
        ("size<=3ms", "GiB"),
        ("decode>=3rows/s", "tok/s"),
    ],
)
def test_an_unknown_unit_lists_those_that_exist(text: str, offered: str) -> None:
    with pytest.raises(UnknownName) as caught:
        parse(under=[text])
    assert offered in caught.value.known
    assert "" not in caught.value.known


def test_percent_is_offered_only_where_it_is_taken() -> None:
    with pytest.raises(UnknownName) as caught:
        parse(["log_loss<=3pt"])
    assert "%" not in caught.value.known
    with pytest.raises(UnknownName) as caught:
        parse(under=["p95<=3pt"])
    assert "%" in caught.value.known


@pytest.mark.parametrize(
    ("keep", "under", "right"),
    [(["p95<=5ms"], [], "--under"), ([], ["accuracy>=-1pt"], "--keep"), (["throughput>=5"], [], "--under")],
)
def test_a_bound_at_the_wrong_option_names_the_right_one(keep: list[str], under: list[str], right: str) -> None:
    text = (keep or under)[0]
    with pytest.raises(BudgetError, match="does not belong there") as caught:
        parse(keep, under)
    assert caught.value.fix == f'write {right} "{text}"'


@pytest.mark.parametrize(
    "text", ["", "accuracy", ">=1", "accuracy>=", "accuracy>=x", "accuracy>=1e-2", "accuracy>=nan", "a b>=1", "0.85"]
)
def test_what_cannot_be_read_shows_an_example(text: str) -> None:
    with pytest.raises(BudgetError, match="cannot be read") as caught:
        parse([text])
    assert "accuracy>=-1pt" in caught.value.fix


@pytest.mark.parametrize("text", ["accuracy<=0.85", "accuracy==0.85", "accuracy=0.85"])
def test_the_wrong_way_round_is_refused(text: str) -> None:
    with pytest.raises(BudgetError, match="higher is better"):
        parse([text])


def test_the_wrong_way_round_is_refused_for_speed() -> None:
    with pytest.raises(BudgetError, match="lower is better"):
        parse(under=["p95>=5ms"])


@pytest.mark.parametrize(
    "text",
    [
        "accuracy>=+1pt",  # a gain
        "calibration_error<=-1pt",
        "log_loss<=-10%",
        "accuracy>=1pt",  # points without a minus
        "calibration_error<=1pt",
        "accuracy>=85",  # not a proportion
        "accuracy>=150%",
        "accuracy>=-1",  # a loss of 100 points
        "accuracy>=-150pt",
    ],
)
def test_floors_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(BudgetError) as caught:
        parse([text])
    assert caught.value.fix


@pytest.mark.parametrize("text", ["p95<=0ms", "size<=0%", "memory<=-100%", "p95<=-2ms", "cpu<=0"])
def test_ceilings_that_nothing_can_reach_are_refused(text: str) -> None:
    with pytest.raises(BudgetError) as caught:
        parse(under=[text])
    assert caught.value.fix


@pytest.mark.parametrize(
    ("keep", "under"),
    [
        (["accuracy>=-1pt", "accuracy>=0.85"], []),
        (["acc>=-1pt", "accuracy>=-1pt"], []),
        ([], ["p95<=5ms", "p95<=9ms"]),
        ([], ["throughput>=5", "rows_per_second>=9"]),
    ],
)
def test_two_bounds_on_one_quantity_contradict_each_other(keep: list[str], under: list[str]) -> None:
    with pytest.raises(BudgetError, match="twice") as caught:
        parse(keep, under)
    first, second = keep or under
    assert repr(first) in str(caught.value)
    assert repr(second) in str(caught.value)


def test_what_to_minimize() -> None:
    assert parse(minimize="throughput").minimize == "rows_per_second"
    assert parse(minimize="p95").minimize == "p95"
    with pytest.raises(UnknownName, match="memory"):
        parse(minimize="memry")
    with pytest.raises(UnknownName):
        parse(minimize="accuracy")


numbers = st.decimals(min_value="0.01", max_value="99", places=3).map(str)


@given(number=numbers, unit=st.sampled_from(["us", "ms", "s"]))
def test_units_scale(number: str, unit: str) -> None:
    scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]
    assert limit(f"p95<={number}{unit}", 1.0) == pytest.approx(float(number) * scale)


@given(number=numbers, original=st.floats(0.5, 1.0))
def test_points_are_taken_from_the_original(number: str, original: float) -> None:
    assert limit(f"accuracy>=-{number}pt", original) == pytest.approx(original - float(number) / 100)


@given(percent=numbers, original=st.floats(0.01, 1e6))
def test_percent_is_of_the_original(percent: str, original: float) -> None:
    assert limit(f"size<={percent}%", original) == pytest.approx(original * float(percent) / 100)


@given(
    floors=st.lists(
        st.tuples(st.sampled_from(["accuracy", "worst_group"]), numbers), unique_by=lambda p: p[0], max_size=2
    ),
    ceilings=st.lists(
        st.tuples(st.sampled_from(["p95<={}ms", "memory<={}GB", "size<={}%", "throughput>={}"]), numbers),
        unique_by=lambda p: p[0],
        max_size=4,
    ),
    minimize=st.sampled_from(["cpu", "p95", "throughput", "size"]),
)
def test_a_budget_survives_its_own_words(
    floors: list[tuple[str, str]], ceilings: list[tuple[str, str]], minimize: str
) -> None:
    budget = parse([f"{name}>=-{n}pt" for name, n in floors], [text.format(n) for text, n in ceilings], minimize)
    again = parse([c.text for c in budget.keep], [c.text for c in budget.under], budget.minimize)
    assert again == budget


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for keep, under in (([text], []), ([], [text])):
        try:
            budget = parse(keep, under)
        except (BudgetError, UnknownName):
            continue
        assert all(isinstance(c, Constraint) for c in (*budget.keep, *budget.under))


def test_what_is_never_proved_cannot_be_kept() -> None:
    noisy = Quantity("noise", "fraction", LOWER, ".", unproved="it is biased", instead=("log_loss", "elsewhere"))
    with pytest.raises(BudgetError) as caught:
        Budget.parse(["noise<=+1pt"], [], "p95", quality=[*QUALITY, noisy], speed=SPEED)
    assert "noise is measured and reported, but never proved: it is biased" in str(caught.value)
    assert caught.value.allowed == "what can be proved instead: log_loss"
    assert caught.value.fix == "keep log_loss instead"


@pytest.mark.parametrize(("word", "name"), [("brier_score", "brier"), ("nll", "log_loss"), ("acc", "accuracy")])
def test_other_words_for_a_quantity(word: str, name: str) -> None:
    assert ALIASES[word] == name
