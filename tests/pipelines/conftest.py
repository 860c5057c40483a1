from pathlib import Path

import pytest

from pipelines.fleet.make import make_fleet


@pytest.fixture(scope="session")
def fleet(tmp_path_factory) -> Path:
    """A fleet of six training and four test identities, two cameras, two images of each pass."""
    root = tmp_path_factory.mktemp("fleet") / "data"
    make_fleet(root, "tiny", progress=False)
    return root
