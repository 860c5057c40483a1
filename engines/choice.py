"""Choosing an engine by measurement, and remembering the choice."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from annotations.errors import InputError, suggest
from annotations.files import write_text
from engines.compiled import Compiled
from engines.engine import Engine
from engines.onnx import OnnxRuntime
from engines.openvino import OpenVino

_log = logging.getLogger(__name__)
AUTO, TORCH, SINGLE = "auto", "torch", "torch-float32"
ENGINES: dict[str, Engine] = {one.name: one for one in (OpenVino(), OnnxRuntime(), Compiled())}
"""Those that take a network from PyTorch."""
NAMES = (AUTO, TORCH, SINGLE, *ENGINES)
PARITY = 0.999
"""What an engine gives agrees at least so with what the network gives in single precision: the
cosine of embeddings, or `Agreement` otherwise."""
FEW, MANY = 2_000, 20_000
"""Below the first number of images no engine is looked for, as that takes longer than it saves;
below the second not the compiler, which takes a minute or more."""
_ROUNDS = 3
_PACKAGES = (
    "partreid", "torch", "openvino", "onnx", "onnxscript", "onnxruntime", "onnxruntime-gpu",
)  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """What was measured of an engine.

    Attributes:
        name: of the engine.
        rate: items a second, of the network alone; 0 where it could not be had.
        agreement: with single precision, the lowest of the items looked at: of embeddings the
            cosine.
        preparing: seconds that it took to be made.
        why: why it cannot be taken; empty where it can.
    """

    name: str
    rate: float = 0.0
    agreement: float = 0.0
    preparing: float = 0.0
    why: str = ""


def check_engine(name: str) -> str:
    """Return the name of an engine.

    Raises:
        InputError: there is none of that name.
    """
    if name not in NAMES:
        raise InputError(f"engine '{name}': {suggest(name, NAMES)}")
    return name


def engine_named(name: str, device: torch.device) -> Engine | None:
    """Return an engine; None for PyTorch as it is.

    Raises:
        InputError: there is none of that name, or it cannot compute here.
    """
    if check_engine(name) in (AUTO, TORCH, SINGLE):
        return None
    if why := ENGINES[name].lacks(device):
        raise InputError(f"engine '{name}': {why}")
    return ENGINES[name]


def candidates(count: int) -> list[str]:
    """Return the engines that are worth trying for so many items, PyTorch first."""
    if count < FEW:
        return [TORCH]
    taking = [name for name in ENGINES if count >= MANY or name != Compiled.name]
    return [TORCH, SINGLE, *taking]


Using = Callable[[str], AbstractContextManager[Callable[[], Tensor]]]
"""Prepares an engine by name, and gives what computes the sample with it: (N, D)."""
Agreement = Callable[[Tensor, Tensor], float]
"""From what an engine gives and what single precision gives, (N, D) both, to at most 1."""


def lowest_cosine(found: Tensor, exact: Tensor) -> float:
    """Return the lowest cosine of two embeddings of one item, (N, D) both."""
    return float(cosine_similarity(found, exact).min())


def measure(
    names: Iterable[str],
    using: Using,
    exact: Tensor,
    device: torch.device,
    agreement: Agreement = lowest_cosine,
) -> list[Tried]:
    """Measure engines on a sample.

    Args:
        names: which.
        using: see `Using`.
        exact: (N, D), what the network gives in single precision.
        device: where it is computed.
        agreement: is to be at least `PARITY`.

    Returns:
        a row per name, in order. One that fails is a row that says why, never an error.
    """
    return [_tried(name, using, exact.float().cpu(), device, agreement) for name in names]


def _tried(
    name: str, using: Using, exact: Tensor, device: torch.device, agreement: Agreement
) -> Tried:
    if name in ENGINES and (why := ENGINES[name].lacks(device)):
        return Tried(name, why=why)
    started = time.perf_counter()
    try:
        with using(name) as compute:
            found = compute().float().cpu()
            preparing = time.perf_counter() - started
            seconds = statistics.median(_seconds(compute, device) for _ in range(_ROUNDS))
    except Exception as error:  # engines raise what they like; another one will do
        said = str(error).strip().partition("\n")[0]
        return Tried(name, why=f"{type(error).__name__}: {said}")
    agrees = agreement(found, exact)
    why = "" if agrees >= PARITY else f"too far from single precision: below {PARITY}"
    return Tried(name, len(exact) / seconds, agrees, preparing, why)


def _seconds(compute: Callable[[], Tensor], device: torch.device) -> float:
    started = time.perf_counter()
    compute()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def fastest(tried: Iterable[Tried]) -> str:
    """Return the fastest engine that can be taken; PyTorch where none can."""
    fine = [one for one in tried if not one.why]
    return max(fine, key=lambda one: one.rate).name if fine else TORCH


def choose(
    name: str,
    count: int,
    about: Mapping[str, object],
    device: torch.device,
    try_out: Callable[[list[str]], list[Tried]],
) -> str:
    """Return the engine that is asked for; for ``auto`` the fastest that can be taken.

    Args:
        name: one of `NAMES`.
        count: items that are to be computed, which says what is worth measuring.
        about: what a measurement depends on beside this machine and its packages; what was
            measured before is not measured again.
        device: where it is computed.
        try_out: measures engines; gives nothing where there is nothing to measure on.

    Raises:
        InputError: there is no such engine.
    """
    if check_engine(name) != AUTO:
        return name
    names = candidates(count)
    if len(names) == 1:
        return names[0]
    memory = Memory(about, device)
    known = memory.recall()
    there = {one.name for one in known}
    new = [one for one in names if one not in there]
    tried = try_out(new) if new else []
    if new and not tried:
        return names[0]
    known += tried
    taken = fastest(one for one in known if one.name in names)
    if tried:
        memory.keep(known)
        for one in tried:
            _log.info("%s", told(one))
        _log.info("engine %s is taken", taken)
    return taken


def told(one: Tried) -> str:
    """Say what was measured of an engine, in a line."""
    if not one.rate:
        return f"engine {one.name}: {one.why}"
    said = f"engine {one.name}: {one.rate:,.0f} images a second, agreement {one.agreement:.5f}"
    return f"{said}; {one.why}" if one.why else said


class Memory:
    """Remembers what was measured, in the person's cache, so that it is measured once.

    Args:
        about: what the measurement depends on beside this machine and its packages.
        device: where it is computed.
    """

    def __init__(self, about: Mapping[str, object], device: torch.device) -> None:
        machine = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
        key = {
            **about,
            "device": machine,
            "threads": torch.get_num_threads(),
            "packages": [_version(package) for package in _PACKAGES],
        }
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]
        self._path = cache_folder() / "engines" / f"{name}.json"

    def recall(self) -> list[Tried]:
        """Return what was measured before; nothing where nothing was, or it cannot be read."""
        try:
            return [Tried(**row) for row in json.loads(self._path.read_text("utf-8"))]
        except (OSError, ValueError, TypeError):
            return []

    def keep(self, tried: list[Tried]) -> None:
        """Write down what was measured; a cache that cannot be written is done without."""
        try:
            # Why one could not be had may have changed by the next time.
            rows = [asdict(one) for one in tried if one.rate]
            write_text(self._path, json.dumps(rows, indent=1) + "\n")
        except (OSError, InputError):
            return


def cache_folder() -> Path:
    """Return the folder of what can be made again: PARTREID_CACHE, or one in the home's cache."""
    if given := os.environ.get("PARTREID_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "partreid"


def _processor() -> str:
    """Name this processor by what engines care about."""
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()} {os.cpu_count()}"


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"
