"""Runtimes of others do not report to their makers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

OPENED = """
import sys
from masklet.runtimes.onnx import onnxruntime_module
from masklet.runtimes.openvino import openvino_module
onnxruntime_module().get_available_providers()
openvino_module().Core()
assert "openvino_telemetry" not in sys.modules
"""


def test_opening_runtimes_leaves_no_identity_of_the_machine(tmp_path: Path) -> None:
    """Each keeps a number of the machine, and what is not sent yet, below the user's home when it may report."""
    for library in ("onnxruntime", "openvino"):
        pytest.importorskip(library, reason=f"pip install 'masklet[{library}]'")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_", "CI"))}
    subprocess.run([sys.executable, "-c", OPENED], check=True, env=kept | {"HOME": str(tmp_path)})
    assert list(tmp_path.rglob("*")) == []
