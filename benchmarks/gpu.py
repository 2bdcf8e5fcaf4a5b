"""What is measured on a GPU: the `contenders`, on arrays of CuPy and tensors of PyTorch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import contenders
import givens
import givens.cuda
from contenders import Contender, Library
from launches import THREADS, Launch, LaunchLoop


def unavailable() -> str:
    """Say what is missing here, or nothing."""
    if reason := givens.cuda.unavailable_reason():
        return f"givens cannot compute on a GPU: {reason}"
    if contenders.is_missing("cupy"):
        return "CuPy is not installed: pip install cupy-cuda13x, or cupy-cuda12x for older drivers"
    return ""


def cupy_library() -> Library:
    import cupy

    return Library("cupy", cupy.asarray, cupy.asnumpy, "cuda")


def cupy_launch() -> Launch:
    import cupy

    source = Path(__file__).with_name("rounds.cu").read_text(encoding="utf-8")
    module = cupy.RawModule(code=source)

    def launch(name: str, blocks: int, arguments: tuple[Any, ...]) -> None:
        module.get_function(name)((blocks,), (THREADS,), arguments)

    return launch


def synchronize() -> None:
    import cupy

    cupy.cuda.Device().synchronize()


def of_size(n: int, library: Library, xp: Any, launch: Launch) -> Iterator[Contender]:
    """All contenders for n x n matrices in float32; `xp` and `launch` as LaunchLoop takes them."""
    inputs = contenders.random_inputs(n, "float32")
    xor, circle = givens.Schedule.xor(n), givens.Schedule.circle(n)
    yield from contenders.dense(inputs, library)
    yield from contenders.givens_functions("xor", xor, inputs, library)
    yield from contenders.givens_functions("circle", circle, inputs, library)
    if not contenders.torch_missing(library):
        torch = contenders.torch_library(library.torch_device)
        yield from contenders.givens_functions("xor", xor, inputs, torch)
    loop = LaunchLoop(xor, xp, launch)
    yield from contenders.rotation_loop("one launch a round", loop, "", xor, inputs, library)
    for name, (package, function) in contenders.PEERS.items():
        yield from contenders.torch_peer(name, package, function, inputs, library)


def describe() -> dict[str, str]:
    """Name the card and its software, in the order to print."""
    import cupy

    runtime = cupy.cuda.runtime
    card = runtime.getDeviceProperties(cupy.cuda.Device().id)
    return {
        "GPU": f"{card['name'].decode()}, {card['multiProcessorCount']} multiprocessors",
        "CUDA": f"driver {runtime.driverGetVersion()}, CuPy's {runtime.runtimeGetVersion()}",
        "CuPy": cupy.__version__,
    }
