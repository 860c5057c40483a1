"""OpenVINO leaves the process as it was."""

import subprocess
import sys

import pytest

pytest.importorskip("openvino", reason="openvino is not installed")

DROPPED_IN_ANOTHER_THREAD = """
import faulthandler, signal, threading
import torch
from engines.openvino import OpenVino

faulthandler.enable()
signal.signal(signal.SIGUSR1, lambda *given: print("heard", flush=True))
held = [OpenVino().make(torch.nn.Conv2d(3, 4, 3).eval(), torch.zeros(1, 3, 8, 8), False)]
dropping = threading.Thread(target=held.clear)
dropping.start()
dropping.join()
signal.raise_signal(signal.SIGUSR1)
"""


def test_a_network_dropped_in_another_thread_leaves_signals_alone():
    run = [sys.executable, "-W", "ignore", "-c", DROPPED_IN_ANOTHER_THREAD]
    told = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert (told.returncode, told.stdout) == (0, "heard\n"), told.stderr
