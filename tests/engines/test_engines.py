"""Every engine computes what the network computes, for any number of inputs."""

import pytest
import torch
from torch import nn

from annotations.errors import InputError
from engines.choice import ENGINES, check_engine, engine_named
from engines.engine import Whole

CPU = torch.device("cpu")


class Small(nn.Module):
    """From uint8 images to maps, as a backbone does."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 5, 3, padding=1),
        )  # fmt: skip

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.layers((images.float() - 120) / 60)
        return made


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Small().eval()


def pixels(count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 16, 24), dtype=torch.uint8)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n == "compile" else n for n in ENGINES]
)
def test_an_engine_gives_what_the_network_gives(name, network):
    if why := ENGINES[name].lacks(CPU):
        pytest.skip(why)
    example = pixels(4)
    computed = ENGINES[name].make(network, example, False)
    whole = Whole(computed, 4)
    with torch.inference_mode():
        for count in (4, 1, 3, 8, 9):
            given = pixels(count)
            torch.testing.assert_close(whole(given), network(given), atol=1e-4, rtol=1e-4)


def test_an_engines_results_do_not_change_when_it_computes_again(network):
    if why := ENGINES["openvino"].lacks(CPU):
        pytest.skip(why)
    computed = ENGINES["openvino"].make(network, pixels(4), False)
    first = computed(pixels(4))
    kept = first.clone()
    computed(pixels(4))
    assert torch.equal(first, kept)


def test_more_or_fewer_inputs_than_an_engine_was_made_for():
    sizes = []

    def computed(inputs: torch.Tensor) -> torch.Tensor:
        sizes.append(len(inputs))
        return inputs.float() * 2

    given = torch.arange(11.0)[:, None]
    assert torch.equal(Whole(computed, 4)(given), given * 2)
    assert sizes == [4, 4, 4]


def test_an_engine_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"engine 'openvin': .*openvino"):
        check_engine("openvin")
    if torch.cuda.is_available():
        pytest.skip("has a GPU")
    with pytest.raises(InputError, match="OpenVINO computes on the CPU"):
        engine_named("openvino", torch.device("cuda"))


def test_an_engine_whose_package_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in ("openvino", "onnx"):
        with pytest.raises(InputError, match=rf"pip install 'partreid\[{name}\]'"):
            engine_named(name, CPU)
