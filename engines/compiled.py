"""PyTorch's own compiler."""

from __future__ import annotations

import shutil

import torch
from torch import Tensor, nn

from engines.engine import Computed


class Compiled:
    """``torch.compile``: fused kernels, on a GPU replayed as a graph, which small networks need."""

    name = "compile"

    def lacks(self, device: torch.device) -> str | None:
        """Return why it cannot compute here, or None."""
        if device.type == "cpu" and not any(map(shutil.which, ("g++", "clang++", "c++"))):
            return "torch.compile needs a C++ compiler (g++ or clang++)"
        return None

    def make(self, network: nn.Module, example: Tensor, half: bool) -> Computed:
        """Return the compiled network; see `engines.engine.Engine`."""
        kind = example.device.type
        mode = "reduce-overhead" if kind == "cuda" else "default"
        compiled = torch.compile(network, mode=mode, dynamic=False)

        @torch.inference_mode()
        def computed(inputs: Tensor) -> Tensor:
            inputs = inputs.contiguous()  # for another layout everything is compiled again
            with torch.autocast(kind, torch.bfloat16, enabled=half):
                if kind == "cuda":
                    torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
                made: Tensor = compiled(inputs)
            # A graph writes its next result into the same memory; and what follows is compiled for
            # one type.
            return made.float().clone() if kind == "cuda" else made.float()

        computed(example)
        return computed
