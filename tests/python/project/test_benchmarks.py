"""The benchmarks run, check their contenders and leave none out."""

import json
import os
import re
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import givens
import givens.cuda

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
HAS_MATPLOTLIB = find_spec("matplotlib") is not None

KINDS = ("xor", "circle", "brickwall", "wavefront")
TITLES = [
    "Dense product of two n x n matrices",
    "U from its parameters",
    "U and the gradient of sum(U G) by the parameters",
    "U X for n vectors, U not formed",
    "y = x U^T for 32 vectors, and the gradients of sum(y G) by x and the parameters",
    "Few rotations of contiguous vectors, in copies of the array",
    "The gradients by these vectors and the angles, in copies of the array",
    "1000 vectors times the approximate eigenvectors of a graph of 256 nodes",
    "Many small matrices",
    "Many small matrices, and the gradient of sum(U G) by the parameters",
]


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        # It must not come through to OpenBLAS, to which it would be no name of a processor.
        env=os.environ | {"OPENBLAS_CORETYPE": "none"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


class QuickRun(NamedTuple):
    process: subprocess.CompletedProcess[str]
    folder: Path

    def data(self) -> Any:
        return json.loads((self.folder / "bench.json").read_text(encoding="utf-8"))

    def table(self, title: str) -> dict[str, str]:
        """Return rows of a table in float32, by their names."""
        _, _, rest = self.process.stdout.partition(f"\n{title}: float32\n")
        rows = rest.partition("\n\n")[0].splitlines()[1:]
        return {row.partition("   ")[0]: row.partition("   ")[2] for row in rows}


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> QuickRun:
    folder = tmp_path_factory.mktemp("bench")
    page = "before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n"
    (folder / "bench.md").write_text(page, encoding="utf-8")
    outputs = {"--json": "bench.json", "--markdown": "bench.md"}
    if HAS_MATPLOTLIB:
        outputs["--chart"] = "bench.png"
    options = [part for option, name in outputs.items() for part in (option, str(folder / name))]
    options += ["--quick", "--sizes", "7,16", "--dtype", "float32,float64,complex64"]
    return QuickRun(run_python(str(BENCHMARKS / "run.py"), *options), folder)


def test_all_contenders_pass_their_checks(quick_run: QuickRun) -> None:
    assert quick_run.process.returncode == 0, quick_run.process.stderr
    assert "FAILED" not in quick_run.process.stdout


def test_every_contender_is_measured_or_said_to_be_missing(quick_run: QuickRun) -> None:
    for result in quick_run.data()["results"]:
        if result["missing"]:
            assert find_spec(result["missing"]) is None
            assert result["median"] is None
        else:
            assert result["median"] > 0


@pytest.mark.parametrize("title", TITLES)
def test_tables_show_every_contender(quick_run: QuickRun, title: str) -> None:
    rows = quick_run.table(title)
    assert rows
    for name, cells in rows.items():
        assert name
        assert "not installed" in cells or any(unit in cells for unit in (" us)", " ms)", " s)"))


def test_tables_compare_givens_with_all_peers(quick_run: QuickRun) -> None:
    rows = quick_run.table(TITLES[2])
    ours = {f"givens.matrix + matrix_vjp, {kind}" for kind in KINDS}
    loops = {"NumPy loop over rounds", "Numba loop over rotations"}
    peers = {f"torch orthogonal, {kind}" for kind in ("matrix_exp", "cayley", "householder")}
    peers |= {"geotorch, cayley", "torch.linalg.qr", "torch, CWY"}
    assert set(rows) == ours | loops | peers
    for name in peers:
        package = "geotorch" if name.startswith("geotorch") else "torch"
        assert ("not installed" in rows[name]) == (find_spec(package) is None)


@pytest.mark.parametrize("name", ["processor", "instructions", "givens", "OpenBLAS", "packages"])
def test_report_names_what_it_ran_on(quick_run: QuickRun, name: str) -> None:
    line = next(v for v in quick_run.process.stdout.splitlines() if v.startswith(f"{name} "))
    assert line.removeprefix(name).strip()


def test_markdown_fills_the_place_between_the_marks(quick_run: QuickRun) -> None:
    page = (quick_run.folder / "bench.md").read_text(encoding="utf-8")
    assert page.startswith("before\n<!-- measured: begin -->\n")
    assert page.endswith("\n<!-- measured: end -->\nafter\n")
    assert "\nold\n" not in page
    assert all(f"\n### {title}: float32\n" in page for title in TITLES)
    assert ("](bench.png)" in page) == HAS_MATPLOTLIB


@pytest.mark.skipif(not HAS_MATPLOTLIB, reason="the chart needs matplotlib")
def test_chart_is_a_png(quick_run: QuickRun) -> None:
    assert (quick_run.folder / "bench.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_report_can_be_made_again_from_the_measurements(quick_run: QuickRun) -> None:
    script, measurements = str(BENCHMARKS / "run.py"), str(quick_run.folder / "bench.json")
    again = run_python(script, "--read", measurements)
    assert again.returncode == 0, again.stderr
    assert again.stdout == quick_run.process.stdout


def test_wrong_results_are_found() -> None:
    code = (
        "import runpy, givens; right = givens.matrix_vjp; "
        "wrong = lambda gradients: gradients._replace(angles=1.01 * gradients.angles); "
        "givens.matrix_vjp = lambda *args, **kwargs: wrong(right(*args, **kwargs)); "
        f"runpy.run_path({str(BENCHMARKS / 'run.py')!r}, run_name='__main__')"
    )
    process = run_python(
        "-c",
        f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); {code}",
        "--quick",
        "--sizes",
        "16",
    )
    assert process.returncode == 1
    assert "FAILED: givens.matrix + matrix_vjp, xor, n = 16: wrong result" in process.stdout
    assert "FAILED: givens.matrix, xor" not in process.stdout


# A GPU that is none: NumPy in the place of CuPy, and of the kernels of rounds.cu.
FAKE_GPU = """
    import sys
    from importlib.machinery import ModuleSpec
    from types import ModuleType, SimpleNamespace
    import numpy as np, givens.cuda, run
    from launches import THREADS

    def turn(x, i, j, c, s):
        x[i], x[j] = c * x[i] - s * x[j], s * x[i] + c * x[j]

    def rotate_round(threads, x, pairs, c, s, count, columns):
        assert len(pairs) == len(c) == len(s) == count
        assert x.shape[1] == columns
        assert 0 <= threads - count * columns < THREADS
        turn(x, *pairs.T, c[:, None], s[:, None])

    def vjp_round(threads, y, gy, pairs, c, s, sums, count, columns, parts, stride):
        assert len(pairs) == len(c) == len(s) == count
        assert y.shape[1] == gy.shape[1] == columns
        assert 0 <= threads - 32 * parts * count < THREADS
        assert sums.strides == (stride * sums.itemsize, sums.itemsize)
        i, j = pairs.T
        products = gy[j] * y[i] - gy[i] * y[j]
        for part in range(parts):
            sums[part, :count] = products[:, np.arange(columns) // 32 % parts == part].sum(axis=1)
        for x in (y, gy):
            turn(x, i, j, c[:, None], -s[:, None])

    class RawModule:
        def __init__(self, code):
            self.code = code

        def get_function(self, name):
            assert f'extern "C" __global__ void {name}(' in self.code
            kernel = globals()[name]
            return lambda blocks, block, arguments: kernel(blocks[0] * block[0], *arguments)

    card = {"name": b"none", "multiProcessorCount": 0}
    cupy = ModuleType("cupy")
    cupy.__spec__ = ModuleSpec("cupy", None)
    cupy.__version__ = "0"
    cupy.asarray = cupy.asnumpy = np.asarray
    cupy.empty, cupy.cos, cupy.sin = np.empty, np.cos, np.sin
    cupy.RawModule = RawModule
    cupy.cuda = SimpleNamespace(
        Device=lambda: SimpleNamespace(id=0, synchronize=lambda: None),
        runtime=SimpleNamespace(
            getDeviceProperties=lambda device: card,
            driverGetVersion=lambda: 0,
            runtimeGetVersion=lambda: 0,
        ),
    )
    sys.modules["cupy"] = cupy
    givens.cuda.unavailable_reason = lambda: None
    run.use_clean_environment = lambda threads: None
    sys.argv[1:] = ["--gpu", "--quick", "--sizes", "16,257"]
    sys.exit(run.main())
"""


def test_contenders_on_a_gpu_but_for_the_gpu() -> None:
    code = f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r})\n{textwrap.dedent(FAKE_GPU)}"
    process = run_python("-c", code)
    assert process.returncode == 0, process.stderr
    tables = dict(re.findall(r"\n\n([^\n]*): float32\n(.*?)(?=\n\n|$)", process.stdout, re.DOTALL))
    titles = TITLES[:5] + TITLES[-2:]  # few rotations: CPU only
    assert list(tables) == titles
    for title in (TITLES[1], TITLES[2], TITLES[4]):
        assert re.search(r"^one launch a round +\d", tables[title], re.MULTILINE)
        assert re.search(r"^torch.linalg.qr ", tables[title], re.MULTILINE)
    for title in titles[1:]:
        assert re.search(r"^givens\.[^ ]+ .*on cupy, xor.*s\)$", tables[title], re.MULTILINE)


@pytest.mark.skipif(givens.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so() -> None:
    process = run_python(str(BENCHMARKS / "run.py"), "--gpu", "--quick")
    assert process.returncode == 2
    reason = givens.cuda.unavailable_reason()
    assert process.stderr == f"--gpu: givens cannot compute on a GPU: {reason}\n"


def test_estimates_agree_with_the_documentation() -> None:
    process = run_python(str(BENCHMARKS / "cuda_estimate.py"))
    assert process.returncode == 0, process.stderr
    page = (BENCHMARKS.parent / "docs" / "cuda.md").read_text(encoding="utf-8")
    times, occupancy = process.stdout.strip().split("\n\n")
    assert f"\n\n{times}\n\n" in page
    assert f"\n\n{occupancy}\n\n" in page


@pytest.mark.parametrize(
    "arguments",
    [["--sizes", "1"], ["--sizes", "x"], ["--dtype", "float16"], ["--threads", "0"]],
)
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    process = run_python(str(BENCHMARKS / "run.py"), *arguments)
    assert process.returncode == 2
    assert "usage:" in process.stderr
