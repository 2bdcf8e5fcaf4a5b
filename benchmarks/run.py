"""Compare givens with dense products and with other ways to orthogonal matrices.

python benchmarks/run.py --help tells the options; docs/benchmarks.md what is compared and how.
"""

import argparse
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time

import report

# OpenBLAS must choose its own kernels, or the yardstick would be slower than need be.
HANDICAPS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREAD_SETTINGS = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "GIVENS_NUM_THREADS",
)
DTYPES = ("float32", "float64", "complex64")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", type=comma_separated_sizes, help="default: 16,64,256,512,1024,2048"
    )
    parser.add_argument(
        "--dtype",
        type=comma_separated_dtypes,
        default=["float32"],
        help=f"of {','.join(DTYPES)} (default: float32, the only one with peers)",
    )
    parser.add_argument(
        "--gpu",
        action="store_true",
        help="on a GPU, with CuPy and PyTorch; float32 alone; --threads and --dtype do not count",
    )
    parser.add_argument("--threads", type=positive, default=1, help="of every library (default: 1)")
    parser.add_argument("--repeats", type=positive, help="timed rounds (default: 9)")
    parser.add_argument(
        "--budget",
        type=float,
        help="seconds for one contender at one size; it gets fewer rounds if it is slow"
        " (default: 10)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="small and few: to see that it runs, not how fast"
    )
    parser.add_argument("--read", type=Path, help="report an earlier --json, measure nothing")
    parser.add_argument("--json", type=Path, help="write all measurements")
    parser.add_argument(
        "--markdown", type=Path, help="write a page; of one with marks only what is between"
    )
    parser.add_argument("--chart", type=Path, help="write a PNG")
    arguments = parser.parse_args()
    if arguments.sizes is None:
        arguments.sizes = [16, 48] if arguments.quick else [16, 64, 256, 512, 1024, 2048]
    if arguments.repeats is None:
        arguments.repeats = 2 if arguments.quick else 9
    if arguments.budget is None:
        arguments.budget = 1.0 if arguments.quick else 10.0
    return arguments


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def comma_separated_sizes(text: str) -> list[int]:
    sizes = [int(part) for part in text.split(",")]
    if min(sizes) < 2:
        raise argparse.ArgumentTypeError(f"sizes must be at least 2: {text}")
    return sizes


def comma_separated_dtypes(text: str) -> list[str]:
    dtypes = text.split(",")
    if not set(dtypes) <= set(DTYPES):
        raise argparse.ArgumentTypeError(f"{text}: not all of {','.join(DTYPES)}")
    return dtypes


def use_clean_environment(threads: int) -> None:
    """Start this program anew if its environment is not yet as it must be.

    The libraries read their settings as they are loaded, and an interpreter may have loaded some
    of them before this file.
    """
    wanted = {name: value for name, value in os.environ.items() if name not in HANDICAPS}
    wanted |= dict.fromkeys(THREAD_SETTINGS, str(threads))
    if wanted != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)


def measure_all(arguments: argparse.Namespace) -> dict[str, object]:
    """Measure everything; the result is what --json writes."""
    import contenders
    import few
    import gpu
    import machine
    import measure

    matrices = 1_000 if arguments.quick else 100_000
    library = gpu.cupy_library() if arguments.gpu else contenders.NUMPY
    dtypes = ["float32"] if arguments.gpu else arguments.dtype
    if arguments.gpu:
        import cupy

        launch = gpu.cupy_launch()
        groups = [
            (f"n = {n}", n, "float32", gpu.of_size(n, library, cupy, launch))
            for n in arguments.sizes
        ]
    else:
        groups = [
            (f"n = {n}", n, dtype, contenders.of_size(n, dtype))
            for dtype in dtypes
            for n in arguments.sizes
        ]
    if "float32" in dtypes:
        label = f"{matrices:,} of 8 x 8"
        groups.append((label, 8, "float32", contenders.of_batch(matrices, 8, library)))
        if not arguments.gpu:
            groups += few.groups(arguments.quick)
    finish = gpu.synchronize if arguments.gpu else measure.nothing
    results = []
    wall, processor = perf_counter(), process_time()
    for label, n, dtype, group in groups:
        print(f"{dtype}, {label} ...", file=sys.stderr, flush=True)
        measured = measure.measure(
            group, arguments.repeats, arguments.budget, arguments.quick, finish
        )
        results += [{"label": label, "n": n, "dtype": dtype, **row} for row in measured]
    share = (process_time() - processor) / (perf_counter() - wall)
    settings = {name: getattr(arguments, name) for name in ("gpu", "threads", "repeats", "budget")}
    on_gpu = gpu.describe() if arguments.gpu else {}
    return {
        "machine": on_gpu | machine.describe(arguments.threads),
        "settings": settings | {"quick": arguments.quick, "processor_share": share},
        "results": results,
    }


def main() -> int:
    arguments = parse_arguments()
    if arguments.chart and find_spec("matplotlib") is None:
        print("--chart needs matplotlib, which is not installed", file=sys.stderr)
        return 2
    if arguments.read:
        data = json.loads(arguments.read.read_text())
    else:
        use_clean_environment(arguments.threads)
        if arguments.gpu:
            import gpu

            if missing := gpu.unavailable():
                print(f"--gpu: {missing}", file=sys.stderr)
                return 2
        data = measure_all(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(data, indent=1) + "\n")
    if arguments.markdown:
        report.write_markdown(data, arguments.markdown, arguments.chart)
    if arguments.chart:
        report.write_chart(data, arguments.chart)
    print(report.text(data))
    return 1 if report.failures(data) else 0


if __name__ == "__main__":
    sys.exit(main())
