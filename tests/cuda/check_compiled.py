"""Checks of the code that nvcc has made of the kernels: registers, local memory, and how much of a
tile's instructions are multiply-adds.

Usage: check_compiled.py OBJECT... (kernels_*.cu.o). Needs NVIDIA's cuobjdump and nvdisasm, from the
PyPI packages nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm, on the path.
"""

import re
import subprocess
import sys

# Bytes of local memory that a kernel may use at most, of all others none. That of sines and cosines
# is CUDA's own, for the reduction of huge angles. Gradients of complex128, and of panels in global
# memory, whose addresses take twice the room, have more in registers than there are.
LOCAL = {
    r"coefficients_kernel": 56,
    r"phases_kernel": 64,
    r" vjp_kernel<std::complex<double>": 400,
    r" rotate_kernel<std::complex<double>": 16,
    r"staged_vjp_kernel<float": 96,
    r"staged_vjp_kernel<(double|std::complex<float>)": 256,
    r"staged_vjp_kernel<std::complex<double>": 1000,
}

# 64 rotations of C columns of real numbers: two multiply-adds each, and of gradients six. The least
# share that these must be of the instructions from the first to the last of a tile.
TILES = {
    r" rotate_kernel<float, 4>": (64 * 2 * 4, 0.60),
    r" staged_rotate_kernel<float, 4>": (64 * 2 * 4, 0.60),
    r" vjp_kernel<float, 4>": (64 * 6 * 4, 0.60),
}


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def demangled(text: str) -> str:
    return subprocess.run(
        ["c++filt"], input=text, check=True, capture_output=True, text=True
    ).stdout.replace("givens::cuda::", "")


def check_resources(objects: list[str]) -> list[str]:
    """What is wrong with registers and local memory."""
    wrong = []
    for path in objects:
        text = demangled(run("cuobjdump", "-res-usage", path))
        kernels = re.findall(r"Function (.*):\n\s*REG:(\d+) STACK:(\d+).* LOCAL:(\d+)", text)
        if not kernels:
            wrong.append(f"{path}: no kernels found")
        for name, registers, stack, local in kernels:
            allowed = next((v for k, v in LOCAL.items() if re.search(k, name)), 0)
            used = int(stack) + int(local)
            print(f"{int(registers):4} registers, {used:4} bytes of local memory  {name[:90]}")
            if used > allowed:
                wrong.append(f"{name}: {used} bytes of local memory, allowed {allowed}")
    return wrong


def instructions_of(path: str) -> dict[str, list[str]]:
    """The operations of each kernel, in order."""
    out: dict[str, list[str]] = {}
    current: list[str] = []
    for line in demangled(run("cuobjdump", "-sass", path)).splitlines():
        if match := re.search(r"Function : (.*)", line):
            current = out.setdefault(match.group(1), [])
        elif match := re.search(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)", line):
            current.append(match.group(1))
    return out


def check_tiles(objects: list[str]) -> list[str]:
    """What is wrong with the instructions of tiles."""
    wrong = []
    found = set()
    for path in objects:
        for name, operations in instructions_of(path).items():
            for pattern, (multiply_adds, least) in TILES.items():
                if not re.search(pattern, name):
                    continue
                found.add(pattern)
                places = [k for k, op in enumerate(operations) if op.startswith("FFMA")]
                shortest = min(
                    last - first + 1
                    for first, last in zip(places, places[multiply_adds - 1 :], strict=False)
                )
                share = multiply_adds / shortest
                wide = sum(op.startswith("LDG.E.128") for op in operations)
                print(f"{share:.0%} multiply-adds, {wide} loads of 16 bytes  {name[:80]}")
                if share < least:
                    wrong.append(f"{name}: {share:.0%} multiply-adds, expected {least:.0%}")
                if wide == 0:
                    wrong.append(f"{name}: no loads of 16 bytes")
    wrong += [f"no kernel found for {pattern}" for pattern in TILES.keys() - found]
    return wrong


def main() -> None:
    objects = sys.argv[1:]
    wrong = check_resources(objects) + check_tiles(objects)
    for line in wrong:
        print("wrong:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
