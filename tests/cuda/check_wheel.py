"""Checks of a wheel with the CUDA engine: its size, the cards it has code for, and that it works as
installed where there is no driver.

Usage: check_wheel.py WHEEL. Needs NVIDIA's cuobjdump, from the PyPI package nvidia-cuda-cuobjdump,
on the path; makes a virtual environment, into which pip installs NumPy.
"""

import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

MOST_BYTES = 20_000_000
# Compute capabilities, as cuda/CMakeLists.txt has them; of the last there is PTX too.
CAPABILITIES = ["75", "80", "86", "89", "90", "100", "120"]

# Run by the environment's Python, which has no other givens.
INSTALLED = """
import givens, givens.cuda, numpy as np

class Array:
    def __dlpack_device__(self):
        return 2, 0

reason = givens.cuda.unavailable_reason()
print("reason:", reason)
assert reason != "built without CUDA"
assert givens.cuda.is_available() == (reason is None)
if reason is not None:
    try:
        givens.matrix(Array(), givens.Schedule.xor(4))
    except RuntimeError as error:
        assert str(error) == f"givens cannot compute on a GPU: {reason}", error
    else:
        raise AssertionError("a GPU array was taken")
U = givens.matrix(np.zeros(6), givens.Schedule.xor(4))
np.testing.assert_array_equal(U, np.eye(4))
"""


def check_contents(wheel: Path, folder: Path) -> None:
    size = wheel.stat().st_size
    print(f"{wheel.name}: {size:,} bytes")
    assert size <= MOST_BYTES, f"{size:,} bytes, allowed {MOST_BYTES:,}"
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            print(f"{entry.compress_size:12,} {entry.file_size:12,} {entry.filename}")
        (module,) = (n for n in archive.namelist() if re.fullmatch(r"givens/_cuda\.[^/]*so", n))
        extracted = archive.extract(module, folder)
    for option, expected in (("--list-elf", CAPABILITIES), ("--list-ptx", CAPABILITIES[-1:])):
        listed = subprocess.run(
            ["cuobjdump", option, extracted], check=True, capture_output=True, text=True
        ).stdout
        found = sorted(set(re.findall(r"\.sm_(\d+)\.", listed)), key=int)
        print(option, *found)
        assert found == expected, f"{option}: code for {found}, expected {expected}"


def check_installed(wheel: Path, folder: Path) -> None:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, wheel.resolve()], check=True)
    subprocess.run([python, "-c", INSTALLED], check=True, cwd=folder)


def main() -> None:
    wheel = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        check_contents(wheel, Path(folder) / "contents")
        check_installed(wheel, Path(folder) / "environment")


if __name__ == "__main__":
    main()
