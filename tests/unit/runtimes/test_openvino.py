"""What OpenVINO does to the process that it is loaded into."""

import subprocess
import sys
from pathlib import Path

import pytest

CLOSED_BY_ANOTHER_THREAD = """
import faulthandler, signal, subprocess, sys, threading
import numpy as np
from masklet import ImageSegmenter
faulthandler.enable()  # gives this thread a stack of its own for signals
signal.signal(signal.SIGCHLD, lambda *_: None)
kept = [ImageSegmenter.from_pretrained(sys.argv[1], runtime="openvino")]
kept[0].encode(np.zeros((64, 64, 3), np.uint8))
other = threading.Thread(target=kept.clear)
other.start()
other.join()
subprocess.run([sys.executable, "-c", ""])  # its end is a signal
print("goes on")
"""


def test_signals_still_arrive_after_another_thread_closed_a_model(exported_model: tuple[Path, Path]) -> None:
    pytest.importorskip("openvino", reason="pip install 'masklet[openvino]'")
    command = [sys.executable, "-c", CLOSED_BY_ANOTHER_THREAD, str(exported_model[1])]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "goes on\n"), ended.stderr
