"""Which networks of timm's give a map, of which resolution, and how the rest are refused."""

import pytest
import timm
import torch

from annotations.errors import InputError
from reid.backbones import Backbone
from reid.methods import build_model
from reid.recipe import parse_recipe
from reid.training.fit import fit

PIXELS = torch.randint(
    0, 256, (2, 3, 96, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)


@pytest.mark.parametrize(
    ("name", "strides"),
    [
        ("convnext_atto", (8, 16, 32)),  # shrinks by 2 x 2 cells
        ("fasternet_t0", (16,)),
        ("res2net50_26w_4s", (16,)),  # shrinks by poolings that are padded
        ("hrnet_w18_small", (32,)),  # its last stage has all resolutions
        ("mambaout_femto", (16, 32)),  # channels last
        ("swin_tiny_patch4_window7_224", (32,)),  # those, and of 224 pixels where it is not told
        ("efficientvit_b0", (16, 32)),  # a classifier that cannot be without its pooling
    ],
)
def test_each_family_gives_its_map_with_the_resolution_asked_for(name, strides):
    for stride in strides:
        backbone = Backbone(name, None, stride).eval()
        with torch.no_grad():
            maps = backbone(PIXELS)
        assert maps.shape == (2, backbone.channels, 96 // stride, 64 // stride)
        assert backbone.grid(96, 64) == (96 // stride, 64 // stride)


def test_a_last_stride_of_1_keeps_convnexts_weights_and_what_it_computes_between():
    torch.manual_seed(0)
    whole = Backbone("convnext_atto", None, 32).eval()
    fine = Backbone("convnext_atto", None, 16).eval()
    fine.network.load_state_dict(whole.network.state_dict())  # of the same names and shapes
    maps = torch.randn(2, 160, 6, 4)
    with torch.no_grad():
        coarse = whole.network.stages[3].downsample(maps)
        found = fine.network.stages[3].downsample(maps)
    assert found.shape == (2, 320, 6, 4)
    torch.testing.assert_close(found[:, :, ::2, ::2], coarse)


def test_of_channels_that_are_last_the_map_has_them_first():
    backbone = Backbone("mambaout_femto", None).eval()
    with torch.no_grad():
        last = backbone.network.forward_features(backbone.normalise(PIXELS))
        maps = backbone(PIXELS)
    assert last.shape == (2, 3, 2, backbone.channels)
    assert torch.equal(maps, last.permute(0, 3, 1, 2))


def test_nothing_is_left_of_a_classifier_that_cannot_be_without_its_pooling():
    backbone = Backbone("efficientvit_b0", None, 32)
    backbone(PIXELS).sum().backward()
    assert all(weight.grad is not None for weight in backbone.parameters())


@pytest.mark.parametrize(
    ("name", "stride", "words"),
    [
        (
            "convnext_atto",
            14,
            "its stages have cells of 4, 8, 16, 32 pixels; it has one with 8, 16",
        ),
        ("maxvit_rmlp_pico_rw_256", 32, "on 128 x 128 pixels it ends in AssertionError: height"),
        ("efficientvim_m1", 32, "what it gives is no map; nor has it one with 16"),
        ("hrnet_w18_small", 16, "it has one with 32"),
        ("swin_tiny_patch4_window7_224", 16, "makes 2 x 2 cells; it has one with 32"),
        ("deit_tiny_patch16_224", 32, "whose patches are of 16 pixels; it has one with 16"),
        ("convit_tiny", 16, "on 64 x 64 pixels it ends in AssertionError: Input height"),
        ("vitamin_small_224", 14, "whose patches are of 16 pixels"),  # rounds 3.5 cells up
        ("convmixer_768_32", 8, "its stages have cells of 7 pixels"),
    ],
)
def test_a_network_without_such_a_map_is_refused_with_the_reason(name, stride, words):
    with pytest.raises(InputError) as caught:
        Backbone(name, None, stride)
    assert f"gives no feature map with output_stride {stride}" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", [AssertionError, ValueError, KeyError])
def test_a_network_that_timm_cannot_build_is_named(monkeypatch, kind):
    def broken(*_, **__):
        raise kind("a reason")

    monkeypatch.setattr(timm, "create_model", broken)
    with pytest.raises(InputError, match=r"'resnet18': timm cannot build it \(.*a reason"):
        Backbone("resnet18")


def recipe(name, side, **more):
    return parse_recipe(
        {
            "method": "composed",
            "backbone": {"name": name, "weights": None, "output_stride": 32},
            "image": {"height": side, "width": side},
            "parts": {"use": []},
            "join": "concat",
            "batch": {"size": 8},
            **more,
        },
        "test",
    )


def test_more_stripes_than_the_real_map_has_rows_are_refused_before_training(crops, tmp_path):
    build_model(recipe("resnet10t", 100, stripes=4), 3, start=True)  # rounds up
    build_model(recipe("convnext_atto", 100, stripes=3), 3, start=True)  # rounds down
    with pytest.raises(InputError, match=r"stripes 4: .* has 3 rows \(image.height 100, backbone"):
        fit(recipe("convnext_atto", 100, stripes=4), crops, None, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_images_of_a_size_that_the_network_cannot_take_are_refused():
    with pytest.raises(InputError, match=r"image.height 100 and image.width 100: .*RuntimeError"):
        build_model(recipe("hrnet_w18_small", 100), 3, start=True)
