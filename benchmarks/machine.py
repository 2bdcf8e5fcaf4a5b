"""What the figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import givens
from givens import _core

# The processor's features that matter here, as Linux names them.
FEATURES = [
    *("sse4_2", "avx", "avx2", "fma"),
    *("avx512f", "avx512dq", "avx512vl", "avx512_bf16", "avx512_fp16", "amx_tile"),
    *("asimd", "sve"),
]
PACKAGES = ("numpy", "numba", "scipy", "torch", "geotorch")


def describe(threads: int) -> dict[str, str]:
    """Name the hardware and the software, in the order to print."""
    processor = cpu_info("model name") or platform.processor() or platform.machine()
    features = (cpu_info("flags") or cpu_info("Features")).split()
    return {
        "processor": processor,
        "cores": f"{os.cpu_count()}, threads used: {threads}",
        "instructions": " ".join(f for f in FEATURES if f in features) or "unknown",
        "givens": f"{givens.__version__}, engine {_core.backend()}"
        f", threads {_core.default_num_threads()}",
        "build": ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in _core.build_info().items()),
        "OpenBLAS": openblas(),
        **torch_kernels(),
        "packages": ", ".join(f"{name} {installed(name)}" for name in PACKAGES),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }


def cpu_info(key: str) -> str:
    """Return the first value of `key` in /proc/cpuinfo, or nothing."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in pairs if name.strip() == key), "")


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def openblas() -> str:
    """Name the kernels that NumPy's matrix product uses."""
    if find_spec("threadpoolctl") is None:
        return "kernels unknown (threadpoolctl is not installed)"
    from threadpoolctl import threadpool_info

    numpy_libraries = str(Path(np.__file__).parent)
    found = [
        f"{library['version']}, kernels for {library['architecture']}"
        for library in threadpool_info()
        if library["internal_api"] == "openblas" and library["filepath"].startswith(numpy_libraries)
    ]
    return "; ".join(found) or "not used by this NumPy"


def torch_kernels() -> dict[str, str]:
    if find_spec("torch") is None:
        return {}
    import torch

    library = "MKL" if torch.backends.mkl.is_available() else "another BLAS"
    return {"PyTorch": f"{library}, kernels for {torch.backends.cpu.get_cpu_capability()}"}
