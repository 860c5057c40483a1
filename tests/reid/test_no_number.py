"""A training whose loss is no number ends, and what was finished before it is kept."""

import pytest
import torch

import reid.training.loop as loop
from annotations.errors import InputError
from reid.recipe import OptimiserSettings
from reid.training.fit import fit
from reid.training.module import Training


@pytest.fixture
def train(crops, part_boxes, tiny_recipe, tmp_path):
    """Train for three epochs of two batches; ``out`` is the run's folder."""

    def once(**changes):
        recipe = tiny_recipe.model_copy(update=changes)
        return fit(recipe, crops, part_boxes, once.out, device="cpu", workers=0, progress=False)

    once.out = tmp_path / "run"
    return once


def spoil(monkeypatch, at, change):
    """Change the loss of the batch behind ``at`` ones."""
    real = Training.training_step

    def step(self, batch, batch_index):
        loss = real(self, batch, batch_index)
        return change(self, loss) if self.trainer.global_step == at else loss

    monkeypatch.setattr(Training, "training_step", step)


@pytest.mark.parametrize("look", [1, 20])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_loss_that_is_no_number_ends_the_training(train, monkeypatch, look, value):
    monkeypatch.setattr(loop, "_LOOK", look)
    with monkeypatch.context() as patch:
        spoil(patch, 2, lambda _, loss: loss * float(value))
        words = rf"loss is {value} at step 3, in epoch 2, .* checkpoint of epoch 1 is kept"
        with pytest.raises(InputError, match=words):
            train()
    assert not (train.out / "model.pt").exists()
    kept = torch.load(train.out / "checkpoints/last.ckpt", weights_only=False)
    assert kept["epoch"] == 0
    assert all(value.isfinite().all() for value in kept["state_dict"].values())
    assert all(weight.isfinite().all() for weight in train().model.parameters())  # goes on


def test_an_epoch_that_ends_in_weights_that_are_no_numbers_is_not_kept(train, monkeypatch):
    def steep(module, loss):  # 0, and its gradient is no number
        weight = next(module.model.parameters())
        return loss + (weight.sum() * 0).sqrt()

    spoil(monkeypatch, 1, steep)
    with pytest.raises(InputError, match=r"no number after step 2, in epoch 1, .* no epoch was"):
        train()
    assert not (train.out / "checkpoints/last.ckpt").exists()


def test_a_rate_that_is_too_high_is_said(train):
    with pytest.raises(InputError, match="Try a lower learning rate"):
        train(optimiser=OptimiserSettings(lr=1e30))
    assert not (train.out / "model.pt").exists()
