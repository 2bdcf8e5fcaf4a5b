"""``python -m givens``: the demo, quick, and the description of the build."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import givens
from givens import _core
from givens.__main__ import DEMO_PACKAGES, main


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


class QuickDemo(NamedTuple):
    process: subprocess.CompletedProcess[str]
    picture: Path

    def rows(self) -> dict[str, tuple[float, float, float]]:
        """Map the name of a transform to L1 norm, percentage of energy and orthogonality error."""
        pattern = r"^(pixels|PCA|DCT|learned) +([\d.]+) +([\d.]+)% +(\S+)$"
        found = re.findall(pattern, self.process.stdout, re.MULTILINE)
        return {name: (float(l1), float(share), float(error)) for name, l1, share, error in found}


@pytest.fixture(scope="module")
def quick_demo(tmp_path_factory: pytest.TempPathFactory) -> QuickDemo:
    for name in DEMO_PACKAGES:
        pytest.importorskip(name)
    picture = tmp_path_factory.mktemp("demo") / "picture"
    process = run_python("-m", "givens", "demo", "--quick", "--output", str(picture))
    return QuickDemo(process, picture)


def test_demo_writes_picture_and_says_where(quick_demo: QuickDemo) -> None:
    assert quick_demo.process.returncode == 0, quick_demo.process.stderr
    assert str(quick_demo.picture.resolve()) in quick_demo.process.stdout
    assert quick_demo.picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_demo_draws_no_progress_bar_outside_a_terminal(quick_demo: QuickDemo) -> None:
    assert "step" not in quick_demo.process.stderr


def test_demo_compares_four_transforms(quick_demo: QuickDemo) -> None:
    rows = quick_demo.rows()
    assert list(rows) == ["pixels", "PCA", "DCT", "learned"]
    for l1, share, _ in rows.values():
        assert 1 <= l1 <= 8
        assert 0 <= share <= 100
    # Even the short run must improve on the identity, from which it starts.
    assert rows["learned"][0] < rows["pixels"][0]
    assert rows["learned"][1] > rows["pixels"][1]


def test_demo_transforms_are_orthogonal(quick_demo: QuickDemo) -> None:
    # A float32 rotation changes the length of a pair by at most about 4 units of rounding u: two
    # for the sine and cosine, one for the products and one for the sum. A coordinate takes part
    # in at most 63 rotations, and an error of the length counts twice in U^T U. The bases that
    # are merely rounded to float32 are far within that.
    tolerance = 2 * 63 * 4 * np.finfo(np.float32).eps / 2
    for _, _, error in quick_demo.rows().values():
        assert error <= tolerance


def test_learning_depends_on_the_seed_alone() -> None:
    for name in DEMO_PACKAGES:
        pytest.importorskip(name)
    from givens._demo.learning import learn

    patches = np.random.default_rng(0).standard_normal((300, 64)).astype(np.float32)
    schedule = givens.Schedule.xor(64)
    first, again, other = (
        learn(patches, patches, schedule, steps=3, seed=seed)[0] for seed in (1, 1, 2)
    )
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", DEMO_PACKAGES)
def test_demo_names_a_missing_package(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    assert main(["demo"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert name in message
    assert "pip install givens[demo]" in message


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["demo", "--seed", "-1"],
        ["demo", "--output", "no/such/folder/picture.png"],
        ["demo", "--output", "."],
    ],
)
def test_wrong_arguments_are_refused(
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("givens.__main__.DEMO_PACKAGES", ())
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_info_describes_the_library() -> None:
    process = run_python("-m", "givens", "info")
    assert process.returncode == 0, process.stderr
    rows = dict(re.split(r" {2,}", line, maxsplit=1) for line in process.stdout.splitlines())
    assert rows["version"] == givens.__version__
    assert rows["backends"].split(", ") == list(_core.backends())
    for name, value in _core.build_info().items():
        assert rows[name.replace("_", " ")] == value


def test_info_imports_nothing_of_the_demo() -> None:
    code = (
        "import sys; from givens.__main__ import main; main(['info']); "
        f"sys.exit(any(name in sys.modules for name in {DEMO_PACKAGES!r}))"
    )
    assert run_python("-c", code).returncode == 0
