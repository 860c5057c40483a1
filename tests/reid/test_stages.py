import pytest
import torch

from annotations.errors import InputError
from reid.backbones import Backbone
from reid.stages import divide


@pytest.mark.parametrize(
    ("name", "stride", "channels"),
    [
        ("resnet18", 32, 256),
        ("resnet18", 16, 256),
        ("tf_efficientnet_lite0", 32, 112),
        ("convnext_atto", 16, 160),
    ],
)
def test_the_stages_together_are_the_backbone(name, stride, channels):
    backbone = Backbone(name, None, stride).eval()
    first, second, last = divide(backbone, name)
    first.eval()
    second.eval()
    assert (first.channels, first.stride, last) == (channels, 16, backbone.channels)
    pixels = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    with torch.no_grad():
        middle = first(pixels)
        assert middle.shape == (2, channels, 4, 6)
        torch.testing.assert_close(second(middle), backbone(pixels))


@pytest.mark.parametrize("name", ["vgg11", "mambaout_femto"])  # of the second, channels are last
def test_a_network_without_such_stages_is_refused(name):
    with pytest.raises(InputError, match="cannot be divided"):
        divide(Backbone(name, None), name)
