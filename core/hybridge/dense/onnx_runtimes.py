"""What runs an ONNX graph: ONNX Runtime, or OpenVINO in either precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hybridge.arguments import check_choice
from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra

Runtime = Literal["onnxruntime", "openvino", "openvino-bf16"]
Inputs = Mapping[str, NDArray[np.int64]]
Run = Callable[[Inputs], NDArray[np.float32]]

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def load_runtime(name: Runtime, user: str) -> Callable[[Path], Run]:
    """Import a runtime, and return a function that opens a file with it.

    An opened file takes `INPUTS`, each int64 of shape `(batch, tokens)`, and returns the token
    vectors, float32 of shape `(batch, tokens, dim)`. It may be called from several threads.

    Args:
        name: The runtime.
        user: What needs it, for errors.

    Raises:
        InvalidInputError: The runtime is unknown; opening a file raises it for a graph with
            other inputs, or without token vectors.
        MissingExtraError: The runtime is not installed.
    """
    check_choice(name, "runtime", tuple(_RUNTIMES))
    return _RUNTIMES[name](user)


def _onnxruntime(user: str) -> Callable[[Path], Run]:
    onnxruntime = import_extra("onnxruntime", user, "onnx")

    def open_file(file: Path) -> Run:
        options = onnxruntime.SessionOptions()
        # Waiting threads that spin took a quarter of the CPU time and gave no speed.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Others that may be available, such as TensorRT, compile for minutes first.
        available = onnxruntime.get_available_providers()
        providers = ("CUDAExecutionProvider", "CPUExecutionProvider")
        session = onnxruntime.InferenceSession(
            str(file), options, providers=[name for name in providers if name in available]
        )
        names = _known_inputs([given.name for given in session.get_inputs()])
        ranks = [len(output.shape) for output in session.get_outputs()]
        output = session.get_outputs()[_token_output(ranks)].name

        def run(inputs: Inputs) -> NDArray[np.float32]:
            result: NDArray[np.float32] = session.run(
                [output], {name: inputs[name] for name in names}
            )[0]
            return result

        return run

    return open_file


def _openvino(user: str, precision: str) -> Callable[[Path], Run]:
    openvino = import_extra("openvino", f"{user} with OpenVINO", "openvino")

    def open_file(file: Path) -> Run:
        # Left to itself, OpenVINO takes whatever precision the CPU is fastest in.
        settings = {"INFERENCE_PRECISION_HINT": precision}
        model = openvino.Core().compile_model(str(file), "CPU", settings)
        names = _known_inputs([given.any_name for given in model.inputs])
        place = _token_output([len(output.partial_shape) for output in model.outputs])

        def run(inputs: Inputs) -> NDArray[np.float32]:
            # One request is not for two threads at once, and its memory is used again.
            request = model.create_infer_request()
            request.infer({name: inputs[name] for name in names}, share_inputs=True)
            return np.array(request.get_output_tensor(place).data, dtype=np.float32)

        return run

    return open_file


_RUNTIMES: dict[str, Callable[[str], Callable[[Path], Run]]] = {
    "onnxruntime": _onnxruntime,
    "openvino": lambda user: _openvino(user, "f32"),
    "openvino-bf16": lambda user: _openvino(user, "bf16"),
}


def _known_inputs(names: list[str]) -> list[str]:
    if unknown := set(names) - set(INPUTS):
        msg = f"The ONNX model wants {sorted(unknown)}; only {', '.join(INPUTS)} can be given"
        raise InvalidInputError(msg)
    return names


def _token_output(ranks: list[int]) -> int:
    """Return the place of the output with one vector per token."""
    if 3 not in ranks:
        msg = "The ONNX model has no output of shape (batch, tokens, dim)"
        raise InvalidInputError(msg)
    return ranks.index(3)
