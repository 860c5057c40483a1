"""The loop that every network of this room is trained by, able to go on after a stop."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import (
    Callback,
    ModelCheckpoint,
    RichProgressBar,
    Timer,
    WeightAveraging,
)
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch import Tensor
from torch.utils.data import DataLoader

from annotations.errors import InputError
from reid.device import Precision, keep_freed_memory, uses_bf16
from reid.training.work import write_seconds

# Lightning's own lines tell of hardware and of its makers' other products.
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
_LOOK = 20
"""Batches between two looks at whether their losses are numbers."""


class _StopAt(Callback):
    """Ends a training after a number of batches.

    Lightning counts by itself, too, but then forgets at what batch of an epoch it goes on.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: object
    ) -> None:
        """Stop, if this was the last batch."""
        trainer.should_stop = trainer.should_stop or trainer.global_step >= self.steps


class _StopAtNoNumber(Callback):
    """Ends a training whose loss, or a weight, is no finite number, before that is kept.

    Losses are looked at some at a time, as a look at each would let a GPU wait for every batch, and
    all of them before the checkpoint of an epoch, which lightning writes behind other callbacks.

    Args:
        out: the folder of the training.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.losses: list[Tensor] = []

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        *_: object,
    ) -> None:
        """Remember the loss of a batch."""
        self.losses.append(outputs["loss"].detach())
        if len(self.losses) >= _LOOK:
            self._look(trainer)

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Look at what is left, and at what the last batch made of the weights."""
        self._look(trainer)
        finite = [weight.detach().isfinite().all() for weight in pl_module.parameters()]
        if not torch.stack(finite).all():
            self._stop(trainer, trainer.global_step, "a weight is infinite or no number after")

    def _look(self, trainer: lightning.Trainer) -> None:
        values = torch.stack(self.losses).tolist() if self.losses else []
        self.losses.clear()
        first = trainer.global_step - len(values) + 1
        for step, value in enumerate(values, first):
            if not math.isfinite(value):
                self._stop(trainer, step, f"the loss is {value} at")

    def _stop(self, trainer: lightning.Trainer, step: int, what: str) -> None:
        epoch = trainer.current_epoch
        kept = f"the checkpoint of epoch {epoch} is kept" if epoch else "no epoch was finished"
        raise InputError(
            f"{self.out}: {what} step {step}, in epoch {epoch + 1}, so training ended; {kept}. Try "
            "a lower learning rate, lower weights of losses, start weights, or precision float32"
        )


def _moved(decay: float, mean: Tensor, value: Tensor, count: Tensor | int) -> Tensor:
    """Return a moving average with one value more; the first ones are forgotten faster."""
    # As TensorFlow's ExponentialMovingAverage: what a short training starts from would stay else.
    kept = min(decay, (1 + int(count)) / (10 + int(count)))
    return mean * kept + value * (1 - kept)


class _Average(WeightAveraging):
    """Keeps a moving average of the weights, which the network has when fitting ends.

    Lightning copies it when a training ends. One that stopped behind its last checkpoint has no
    batch left: it neither begins nor ends, and would keep the last weights in place of the average.

    Args:
        decay: see `_moved`.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(avg_fn=partial(_moved, decay))

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Copy the average; where the training has ended so, once more the same."""
        self.on_train_end(trainer, pl_module)


Loader = Callable[[Callable[[], int]], DataLoader[Any]]
"""From what tells the epoch to the batches of an epoch."""


def run_training(
    module: lightning.LightningModule,
    loader: Loader,
    out: Path,
    *,
    epochs: int = 1,
    steps: int | None = None,
    target: torch.device,
    precision: Precision = "auto",
    average: float = 0.0,
    progress: bool = True,
) -> None:
    """Train, or go on from the last epoch that was finished.

    Args:
        module: the network with its losses and optimiser.
        loader: see `Loader`.
        out: gets ``checkpoints/``, ``csv/`` and ``tensorboard/``, and at the end how long it took.
        epochs: passes over the training images.
        steps: batches, in place of epochs.
        target: the device.
        precision: ``auto`` takes bf16 where the device has it.
        average: the decay of a moving average of the weights, which ``module`` has in the end; 0
            for none.
        progress: whether to show a bar.

    Raises:
        InputError: a loss, or a weight, is no finite number.
        KeyboardInterrupt: a person stopped it.
    """
    keep_freed_memory(target)
    clock = Timer()  # which checkpoints keep
    callbacks: list[Callback] = [
        clock,
        _StopAtNoNumber(out),
        ModelCheckpoint(out / "checkpoints", "last", save_top_k=1, enable_version_counter=False),
    ]
    if average:
        callbacks.append(_Average(average))
    if progress:
        callbacks.append(RichProgressBar(leave=False))
    batches = loader(lambda: trainer.current_epoch)
    if steps:
        epochs = math.ceil(steps / len(batches))
        callbacks.append(_StopAt(steps))
    trainer = lightning.Trainer(
        accelerator="gpu" if target.type == "cuda" else target.type,
        devices=[target.index or 0] if target.type == "cuda" else 1,
        precision="bf16-mixed" if uses_bf16(precision, target) else "32-true",
        max_epochs=epochs,
        logger=[CSVLogger(out, "csv"), TensorBoardLogger(out, "tensorboard", "")],
        callbacks=callbacks,
        log_every_n_steps=1,
        enable_progress_bar=progress,
        enable_model_summary=False,
    )
    last = out / "checkpoints" / "last.ckpt"
    begun = last.is_file()
    try:
        with warnings.catch_warnings():
            # Two that no user can act on: lightning's own use of torch, and resuming as such.
            warnings.filterwarnings("ignore", ".*LeafSpec.*is deprecated")
            warnings.filterwarnings("ignore", "Checkpoint directory .* exists")
            trainer.fit(
                module,
                batches,
                ckpt_path=str(last) if begun else None,
                weights_only=False,
            )
    except SystemExit:  # what lightning makes of Ctrl-C
        raise KeyboardInterrupt from None
    now = (clock.end_time() or 0.0) - (clock.start_time() or 0.0)
    before = clock.time_elapsed() - now
    if before or not begun:  # a checkpoint without a clock says nothing of the time before it
        write_seconds(out, before + now)
