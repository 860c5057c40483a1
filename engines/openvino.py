"""Intel's OpenVINO, the fastest on most processors of today."""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from engines.engine import Computed


@cache
def _core() -> Any:
    """Return the process's one core, which lives as long as the process.

    The first network that a core compiles gives its thread a stack for signal handlers, which goes
    when the core does. Where that is in another thread, the first thread is left with a stack that
    is no more, and its next signal, such as a child's end, ends the process without a word.
    """
    import openvino

    return openvino.Core()


class OpenVino:
    """OpenVINO on the CPU; in bf16 where the processor has it."""

    name = "openvino"

    def lacks(self, device: torch.device) -> str | None:
        """Return why it cannot compute here, or None."""
        if device.type != "cpu":
            return "OpenVINO computes on the CPU"
        if importlib.util.find_spec("openvino") is None:
            return "openvino is not installed: pip install 'partreid[openvino]'"
        return None

    def make(self, network: nn.Module, example: Tensor, half: bool) -> Computed:
        """Return the converted network; see `engines.engine.Engine`."""
        import openvino

        with torch.no_grad():
            converted = openvino.convert_model(
                network, example_input=example, input=[tuple(example.shape)]
            )
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",  # all processors on one batch, as the others do
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        compiled: Any = _core().compile_model(converted, "CPU", settings)
        request = compiled.create_infer_request()

        def computed(inputs: Tensor) -> Tensor:
            # Shares the input; the output is the request's own, which the next call overwrites.
            found = request.infer([inputs.contiguous().numpy()], share_inputs=True)
            return torch.from_numpy(found[0].copy())

        return computed
