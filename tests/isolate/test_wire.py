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


def sent(message: dict[str, object]) -> dict[str, object]:
    """A message as the other side has it."""
    line, _, behind = wire.pack(message).partition(b"\n")
    told = wire.unpack(line)
    assert wire.bytes_behind(told) == len(behind)
    told[wire.ARRAYS] = wire.unpack_arrays(told[wire.ARRAYS], bytearray(behind))
    return told


def test_arrays_keep_shape_and_every_bit() -> None:
    array = np.array([[1.5, -0.0], [np.nan, np.inf], [1e-45, 3e38]], dtype=np.float32)
    several = [array[:, ::-1], np.zeros((0, 3)), np.arange(5, dtype=np.int32), np.array(2.5), array.astype(np.float64)]
    told = sent({"seconds": 3.5, wire.ARRAYS: several})
    assert told["seconds"] == 3.5
    for before, after in zip(several, told[wire.ARRAYS], strict=True):  # type: ignore[call-overload]
        assert after.dtype == before.dtype and after.shape == before.shape
        assert after.tobytes() == before.tobytes()


def test_the_answers_can_be_written_to_and_other_numbers_become_floats() -> None:
    told = sent({wire.ARRAYS: [np.array([1.5, 2.0], np.float16), np.array([True, False])]})
    first, second = told[wire.ARRAYS]  # type: ignore[misc]
    first[0] = 9.0
    assert (first.dtype, first.tolist(), second.tolist()) == (np.float32, [9.0, 2.0], [1.0, 0.0])


def test_a_message_without_arrays_is_one_line() -> None:
    assert wire.pack({"op": "close"}) == b'{"op": "close"}\n'
    assert wire.bytes_behind(wire.unpack(b'{"op": "close"}\n')) == 0


@pytest.mark.parametrize("line", [b"chatter\n", b"[1]\n", b"\xff\n"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(SessionCrashed, match="no message"):
        wire.unpack(line)
