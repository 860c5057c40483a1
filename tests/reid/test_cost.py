import math

import pytest
import torch
from torch import nn

from annotations.masks import Masks
from reid import cost
from reid.cost import measure_costs
from reid.methods import build_model
from reid.recipe import parse_recipe
from reid.run import Run


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(cost, "SECONDS", 0.001)
    monkeypatch.setattr(cost, "BATCH", 5)


def network(tmp_path, **changes):
    content = {
        "backbone": {"name": "resnet10t", "weights": None},
        "image": {"height": 32, "width": 64},
        "dimension": 16,
    }
    recipe = parse_recipe(content | changes, "tiny")
    return Run(build_model(recipe, 7, start=False).eval(), recipe, (), "", tmp_path)


def measured(run, images, found=None, **more):
    return measure_costs([(run, found)], images, device="cpu", **more)[0]


def count(*modules):
    return sum(each.numel() for module in modules for each in module.parameters())


def slow_multiply_adds(run, images):
    """Sum what every convolution and linear layer that an image passes does, from its shapes."""
    done = []

    def hook(layer, given, output):
        inputs = layer.weight[0].numel()  # of one output: channels / groups x window
        done.append(inputs * output.numel())

    layers = [each for each in run.model.modules() if isinstance(each, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(hook) for layer in layers]
    with torch.no_grad():
        run.model.describe(images, cost.Located.nowhere(1))
    for each in hooks:
        each.remove()
    return sum(done)


def test_what_embedding_needs_is_counted_and_what_training_needs_is_not(tmp_path, crops):
    run = network(tmp_path, parts={"use": []})
    found = measured(run, crops)
    model = run.model
    assert found.parameters == count(model.backbone, model.reduce)
    assert count(model) == found.parameters + 7 * 16  # and the classifier
    pixels = torch.zeros(1, 3, 32, 64, dtype=torch.uint8)
    assert found.multiply_adds == slow_multiply_adds(run, pixels)
    assert 0 < found.images_per_second < math.inf
    twice = measured(run, crops, mirror=True)
    assert twice.multiply_adds == 2 * found.multiply_adds
    assert twice.parameters == found.parameters


def test_the_parts_of_prn_cost_nothing_at_test_unless_they_are_asked_for(
    tmp_path, crops, part_boxes
):
    run = network(tmp_path)
    model = run.model
    whole = measured(run, crops)
    assert whole.parameters == count(model.backbone, model.reduce)
    parts = measured(run, crops, part_boxes, branches="parts")
    assert parts.parameters == count(model.backbone)


def test_methods_that_look_at_parts_are_measured_with_them(tmp_path, crops, part_boxes):
    cluster = {"method": "eianet", "batch": {"size": 8, "per_identity": 2}}
    eia = network(tmp_path, **cluster)
    found = measured(eia, crops, part_boxes)
    assert found.parameters == count(eia.model)  # a network without classifiers
    names = crops.frame["image"].tolist()
    values = torch.full((len(names), 2, 4, 4), 255, dtype=torch.uint8).numpy()
    masks = Masks.from_values(names, values, ("front", "rear"), {})
    views = {"vocabulary": "views", "use": ["front", "rear"]}
    span = network(tmp_path, method="span", parts=views, join="views", distance="cpdm")
    found = measured(span, crops, masks)
    model = span.model
    assert found.parameters == count(model.first, model.seconds, model.reduce)


def test_of_a_neck_what_was_learned_counts(tmp_path, crops):
    run = network(tmp_path, method="composed", parts={"use": []}, neck=True)
    model = run.model
    found = measured(run, crops).parameters
    assert found == count(model.backbone, model.reduce) + model.neck.weight.numel()
