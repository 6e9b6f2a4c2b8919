"""Event files as TensorFlow's record format has them."""

from __future__ import annotations

import struct
from pathlib import Path

from lighten.fitting import tensorboard
from lighten.fitting.tensorboard import EventFile


def test_records_have_their_lengths_and_sums(tmp_path: Path) -> None:
    crc = struct.unpack("<I", tensorboard._masked(b"123456789"))[0]
    rotated = (crc - 0xA282EAD8) & 0xFFFFFFFF
    assert (rotated >> 17 | rotated << 15) & 0xFFFFFFFF == 0xE3069283  # of CRC-32C, from its own definition
    file = EventFile(tmp_path / "events")
    file.begin(300)
    file.add(300, {"loss": 0.5})
    (path,) = (tmp_path / "events").iterdir()
    data, events = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert data[8:12] == tensorboard._masked(data[:8])
        event = data[12 : 12 + length]
        assert data[12 + length : 16 + length] == tensorboard._masked(event)
        events.append(event)
        data = data[16 + length :]
    assert events[0].endswith(b"\x1a\rbrain.Event:2")
    assert events[1][9:] == b"\x10\xac\x02" + b"\x3a\x02\x08\x01"  # step 300; session_log: START
    assert events[2][9:12] == b"\x10\xac\x02"
    assert events[2].endswith(b"\n\x04loss\x15" + struct.pack("<f", 0.5))
