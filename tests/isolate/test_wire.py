"""Messages and errors between parent and child."""

import numpy as np
import pytest

from lighten.core import errors
from lighten.core.errors import MissingExtra, OutOfMemory, PlanError, SessionCrashed, UnknownName
from lighten.isolate import wire


def test_allocation_failures_are_told_from_other_errors() -> None:
    for text in ("std::bad_alloc", "DefaultCPUAllocator: can't allocate memory", "Failed to allocate memory for 9"):
        record = wire.pack_error(RuntimeError(text))
        assert isinstance(wire.unpack_error(record), OutOfMemory)
    assert isinstance(wire.unpack_error(wire.pack_error(MemoryError())), OutOfMemory)
    assert isinstance(wire.unpack_error(wire.pack_error(RuntimeError("shape"))), SessionCrashed)
    long = wire.pack_error(RuntimeError("x" * 5000 + " the cause"))["seen"]
    assert len(long) < 700 and long.endswith("the cause")


def test_every_error_of_lighten_that_a_child_may_raise_arrives_with_its_words() -> None:
    for kind in (errors.StepFailed, errors.BuildFailed, errors.StoppedEarly, errors.UnsafeFile, errors.ModelError):
        error = wire.unpack_error(wire.pack_error(kind("seen", allowed="allowed", fix="fix")))
        assert type(error) is kind and (error.seen, error.allowed, error.fix) == ("seen", "allowed", "fix")


def test_errors_with_arguments_of_their_own_arrive_as_their_parent() -> None:
    for error in (MissingExtra("it", "ov"), UnknownName("engine", "x", ["y"]), PlanError(["one", "two"])):
        arrived = wire.unpack_error(wire.pack_error(error))
        assert type(arrived) is errors.InputError and str(arrived) == str(error)


def test_a_class_that_is_no_error_of_a_candidate_is_a_crash() -> None:
    for name in ("Iterable", "NothingSuch", "LightenError"):
        error = wire.unpack_error({"class": name, "seen": "seen", "allowed": "", "fix": ""})
        assert type(error) is SessionCrashed and error.seen == "seen"


def test_arrays_keep_shape_and_every_bit() -> None:
    array = np.array([[1.5, -0.0], [np.nan, np.inf], [1e-45, 3e38]], dtype=np.float32)
    back = wire.unpack_array(wire.pack_array(array[:, ::-1]))
    assert back.dtype == np.float32 and back.tobytes() == array[:, ::-1].tobytes()
    assert wire.unpack_array(wire.pack_array(np.zeros((0, 3)))).shape == (0, 3)


@pytest.mark.parametrize("line", [b"chatter\n", b"[1]\n", b"\xff\n"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(SessionCrashed, match="no message"):
        wire.unpack(line)
