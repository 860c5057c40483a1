from pathlib import Path

import pytest

from pipelines.sample import write_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Path:
    """A sample of six training and three test identities."""
    root = tmp_path_factory.mktemp("sample") / "data"
    write_sample(root, train=6, test=3)
    return root
