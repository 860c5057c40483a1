import subprocess
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

# Tests use tiny tensors, on which a second thread waits longer than it works.
torch.set_num_threads(1)

# A busy machine is no reason to fail.
hypothesis.settings.register_profile("timeless", deadline=None)
hypothesis.settings.load_profile("timeless")


class SmallDisk:
    """A file system of a few KiB.

    Attributes:
        path: where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mounted = False

    def resize(self, kib: int) -> None:
        """Give it a size; what is on it stays."""
        how = f"remount,size={kib}k" if self.mounted else f"size={kib}k"
        command = ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(self.path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("there is no command mount")
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        self.mounted = True


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk that can really be full; skips where mounting is not permitted."""
    disk = SmallDisk(tmp_path / "disk")
    disk.path.mkdir()
    yield disk
    if disk.mounted:
        # Files that are mapped into memory keep a file system busy.
        subprocess.run(["umount", "--lazy", str(disk.path)], check=True)
