import numpy as np
import pytest
import torch
from PIL import Image

from reid.attention.learning import Samples
from reid.attention.settings import SpanSettings

STILL = SpanSettings(size=32, zoom=0.0, colour=0.0, flip=1.0)


@pytest.fixture
def path(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize(
    ("labels", "becomes"),
    [
        (torch.tensor([[True, False, False]]), [False, True, False]),  # the views that are shown
        (torch.tensor([0]), 1),  # the viewpoint
    ],
)
def test_a_mirrored_image_has_a_mirrored_foreground_and_label(path, labels, becomes):
    mask = np.random.default_rng(1).integers(0, 256, (1, 8, 8), dtype=np.uint8)
    partners = torch.tensor([1, 0, 2])
    still = STILL.model_copy(update={"flip": 0.0})
    whole = Samples([path], mask, labels, partners, still)[0, 5]
    flipped = Samples([path], mask, labels, partners, STILL)[0, 5]
    assert torch.equal(flipped.images, whole.images.flip(-1))
    assert torch.equal(flipped.foreground, whole.foreground.flip(-1))
    assert torch.equal(whole.foreground, torch.from_numpy(mask[0]))
    assert whole.labels.tolist() == labels[0].tolist()
    assert flipped.labels.tolist() == becomes
