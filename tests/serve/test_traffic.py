"""Who answers is drawn, and is the same again with the same seed."""

from __future__ import annotations

from lighten.serve.traffic import Share, Traffic


def test_the_canary_gets_its_share_and_the_draws_can_be_repeated() -> None:
    drawn = [Traffic("1", Share("2", 0.1), seed=7) for _ in range(2)]
    first, again = ([one.draw() for _ in range(5000)] for one in drawn)
    assert first == again and 400 < first.count("2") < 600
    assert {Traffic("1", Share("2", 1.0)).draw() for _ in range(50)} == {"2"}
    assert {Traffic("1").draw() for _ in range(50)} == {"1"}


def test_the_shadow_sees_its_share() -> None:
    traffic = Traffic("1", shadow=Share("2", 0.25), seed=7)
    assert 1100 < sum(traffic.draw_shadow() for _ in range(5000)) < 1400
    assert not Traffic("1").draw_shadow() and {traffic.draw() for _ in range(50)} == {"1"}


def test_whoever_serves_is_no_longer_beside_it() -> None:
    traffic = Traffic("1", Share("2", 0.1), Share("3", 0.2))
    assert [traffic.roles(version) for version in "1234"] == [["serves"], ["canary"], ["shadow"], []]
    traffic.serve("2")
    assert (traffic.serving, traffic.previous, traffic.canary) == ("2", "1", None) and traffic.shadow is not None
    assert traffic.roles("1") == ["previous"]
    traffic.serve("2")
    assert traffic.previous == "1"
    traffic.serve("3")
    assert (traffic.previous, traffic.shadow) == ("2", None)
