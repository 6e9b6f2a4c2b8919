"""Limits are told by name, and each has its bounds."""

import pytest

from lighten.core.errors import InputError, UnknownName
from lighten.core.step import settings_of
from lighten.serve.limits import Limits


def test_limits_are_changed_by_name() -> None:
    changed = Limits().changed(["deadline=2.5", "batch=8"])
    assert (changed.deadline, changed.batch, changed.body) == (2.5, 8, Limits().body)


def test_every_limit_documents_itself_and_its_default_is_allowed() -> None:
    every = settings_of(Limits)
    assert len(every) > 10 and not any(one.problem(one.default) or not one.doc.endswith(".") for one in every)


@pytest.mark.parametrize(
    ("told", "kind", "reason"),
    [
        ("batch", InputError, "A limit is 'batch'"),
        ("bacth=1", UnknownName, "no limit named 'bacth'"),
        ("batch=many", InputError, "is no number"),
        ("batch=0", InputError, "at least 1"),
        ("deadline=nan", InputError, "a finite number"),
    ],
)
def test_what_is_no_limit_is_refused(told: str, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        Limits().changed([told])
