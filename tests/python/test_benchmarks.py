"""The benchmarks run, check their contenders and leave none out."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
HAS_MATPLOTLIB = find_spec("matplotlib") is not None

TITLES = [
    "Dense product of two n x n matrices",
    "U from its parameters",
    "U and the gradient of sum(U G) by the parameters",
    "U X for n vectors, U not formed",
    "y = x U^T for 32 vectors, and the gradients of sum(y G) by x and the parameters",
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
        """Rows of a table in float32, by their names."""
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
    ours = {f"givens.matrix + matrix_vjp, {kind}" for kind in ("xor", "circle")}
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
        "givens.matrix_vjp = lambda *args, **kwargs: 1.01 * right(*args, **kwargs); "
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


@pytest.mark.parametrize(
    "arguments",
    [["--sizes", "1"], ["--sizes", "x"], ["--dtype", "float16"], ["--threads", "0"]],
)
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    process = run_python(str(BENCHMARKS / "run.py"), *arguments)
    assert process.returncode == 2
    assert "usage:" in process.stderr
