"""ONNX Runtime."""

from __future__ import annotations

import importlib.util
import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engines.engine import Computed

_INPUT, _OUTPUT = "inputs", "outputs"


class OnnxRuntime:
    """ONNX Runtime on the CPU, or on a GPU where its CUDA build is installed; single precision."""

    name = "onnx"

    def lacks(self, device: torch.device) -> str | None:
        """Return why it cannot compute here, or None."""
        for package in ("onnxruntime", "onnx", "onnxscript"):
            if importlib.util.find_spec(package) is None:
                return f"{package} is not installed: pip install 'partreid[onnx]'"
        if device.type == "cuda":
            import onnxruntime

            if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
                return "this onnxruntime computes on no GPU: pip install onnxruntime-gpu"
        return None

    def make(self, network: nn.Module, example: Tensor, half: bool) -> Computed:
        """Return the exported network; see `engines.engine.Engine`."""
        import onnxruntime

        written = io.BytesIO()
        with _quiet(), torch.no_grad():
            program: Any = torch.onnx.export(
                network, (example,), input_names=[_INPUT], output_names=[_OUTPUT], dynamo=True,
                verbose=False,
            )  # fmt: skip
            program.save(written)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        cuda = example.device.type == "cuda"
        providers: list[Any] = ["CPUExecutionProvider"]
        if cuda:
            providers = [("CUDAExecutionProvider", {"device_id": example.device.index or 0})]
        session = onnxruntime.InferenceSession(written.getvalue(), options, providers=providers)
        return _on_gpu(session, example) if cuda else _on_cpu(session)


def _on_cpu(session: Any) -> Computed:
    def computed(inputs: Tensor) -> Tensor:
        (made,) = session.run([_OUTPUT], {_INPUT: inputs.contiguous().numpy()})
        return torch.from_numpy(made)

    return computed


def _on_gpu(session: Any, example: Tensor) -> Computed:
    """Bind the tensors' own memory, so that nothing goes through the host."""
    shape = [int(side) for side in session.get_outputs()[0].shape]
    number = example.device.index or 0

    def computed(inputs: Tensor) -> Tensor:
        inputs = inputs.contiguous()
        made = torch.empty(shape, device=inputs.device)
        bound = session.io_binding()
        kind = np.uint8 if inputs.dtype == torch.uint8 else np.float32
        bound.bind_input(_INPUT, "cuda", number, kind, list(inputs.shape), inputs.data_ptr())
        bound.bind_output(_OUTPUT, "cuda", number, np.float32, shape, made.data_ptr())
        torch.cuda.current_stream(inputs.device).synchronize()  # the runtime has its own stream
        session.run_with_iobinding(bound)
        return made

    return computed


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress and warnings to itself."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            open(os.devnull, "w") as nowhere,  # noqa: PTH123
            redirect_stdout(nowhere),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
