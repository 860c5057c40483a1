"""Where to run a network, and in which number format it is faster there."""

from __future__ import annotations

import torch

from annotations.errors import InputError


def choose_device(name: str | None = None) -> torch.device:
    """Return the device called ``name``; without a name CUDA where there is one, else the CPU.

    Raises:
        InputError: there is no such device.
    """
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise InputError(f"no device '{name}'; give auto, cpu, cuda or cuda:1") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"device '{name}': this machine has {torch.cuda.device_count()} of them")
    return device


def low_precision(device: torch.device) -> torch.dtype | None:
    """Return the 16-bit format that ``device`` computes in natively, or None.

    On a processor with AVX-512 bfloat16 a detector runs about twice as fast in it.
    """
    if device.type == "cuda":
        return (
            torch.bfloat16
            if torch.cuda.is_bf16_supported(including_emulation=False)
            else torch.float16
        )
    native = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if native else None
