"""The record of the machine."""

import json
import re
import subprocess
import sys
from dataclasses import replace

from lighten.measure.environment import MachineRecord, installed


def test_the_record_is_plain_and_its_id_leaves_out_what_varies() -> None:
    here = MachineRecord.here(rates=False)
    record = here.to_json()
    assert json.loads(json.dumps(record)) == record
    assert record["memory bandwidth"] == record["arithmetic"] == "not measured"
    assert 1 <= here.cores_allowed <= here.cores and 0 < here.memory_allowed <= here.memory
    assert record["versions"]["numpy"] == installed(("numpy",))["numpy"]
    assert re.fullmatch("[0-9a-f]{16}", here.id)
    assert replace(here, bandwidth=12.3, arithmetic=99.0).id == here.id
    assert replace(here, flags=()).id != here.id or not here.flags
    assert replace(here, cores_allowed=here.cores_allowed + 1).id != here.id


def test_rates_that_were_measured_on_a_busy_machine_are_told_apart() -> None:
    quiet = replace(MachineRecord.here(rates=False), bandwidth=42.9, arithmetic=249.0)
    busy = replace(quiet, bandwidth=8.4, arithmetic=31.0, disturbed="other processes took up to 60% of the cores")
    assert "rates" not in quiet.to_json() and busy.id == quiet.id
    assert busy.to_json()["rates"] == "may be far too low: other processes took up to 60% of the cores"


def test_looking_at_the_machine_imports_no_runtime() -> None:
    program = (
        "import sys; from lighten.measure.environment import MachineRecord; MachineRecord.here(rates=False);"
        "print(sorted({'torch', 'onnxruntime', 'openvino', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"
