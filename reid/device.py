"""Which device and number format to compute in."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import torch

from annotations.errors import InputError

Precision = Literal["auto", "bf16", "float32"]


def pick_device(name: str = "auto") -> torch.device:
    """Return the device named, or for ``auto`` the first CUDA device, else the CPU.

    Raises:
        InputError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"no device '{name}'; give auto, cpu, cuda or cuda:1") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"device '{name}': this machine has {torch.cuda.device_count()} of them")
    return device


def in_words(device: torch.device) -> str:
    """Say what a device is, for people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{os.cpu_count()} CPU cores, no GPU"


def has_fast_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 in hardware; where it does not, bf16 is slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def uses_bf16(precision: Precision, device: torch.device) -> bool:
    """Decide what ``auto`` means on the device."""
    return precision == "bf16" or (precision == "auto" and has_fast_bf16(device))


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Return the context in which the network runs in ``precision``."""
    if uses_bf16(precision, device):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Multiply float32 matrices, and convolve, as float32.

    Training may have switched on TF32 or bf16, of whose 10 or 8 bits no error bound is known.
    """
    before = torch.get_float32_matmul_precision()
    convolutions = torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
        torch.backends.cudnn.allow_tf32 = convolutions


def keep_freed_memory(device: torch.device) -> None:
    """Tell glibc to keep what the process frees, for computing on a CPU.

    Each pass frees and takes the same large blocks. By default glibc hands them back to the
    kernel, which then clears every page again; keeping them made a training step up to 1.7
    times as fast, and embedding 1.4 times.
    """
    if device.type != "cpu" or sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # a libc that is not glibc
        return
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(mmap_max, 0)
