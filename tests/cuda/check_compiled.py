"""Checks of the code that nvcc makes of the kernels: registers, local memory, occupancy, and the
instructions of rotation blocks. It must be as benchmarks/cuda_estimate.py assumes.

Usage: check_compiled.py OBJECT... (kernels_*.cu.o). Needs NVIDIA's cuobjdump and nvdisasm, from the
PyPI packages nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm, on the path.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import cuda_estimate

# By kernel, the multiply-adds of a rotation block, which has 64 rotations of C columns of real
# numbers with two multiply-adds each, or six for gradients; and the least share that they must have
# of the instructions from the first to the last of them.
BLOCKS = {
    cuda_estimate.ROTATE.name: (64 * 2 * 4, cuda_estimate.ROTATE.multiply_add_share),
    cuda_estimate.VJP.name: (64 * 6 * 2, cuda_estimate.VJP.multiply_add_share),
    "staged_rotate_kernel<float, 4>": (64 * 2 * 4, 0.60),
    "staged_vjp_kernel<float, 2>": (64 * 6 * 2, 0.60),
}

# The most registers of a thread. Kernels that hold blocks in registers may have all that there are
# for one thread block of 256 threads on a multiprocessor. Others leave room for more, to hide
# latencies.
REGISTERS = {
    "rotate_kernel": 255,
    "vjp_kernel": 255,
    "staged_rotate_kernel": 255,
    "staged_vjp_kernel": 255,
    "coefficients_kernel": 128,
    "phases_kernel": 128,
}
REGISTERS_OF_OTHERS = 64

# A thread block of the main kernels has 8 warps, for which a multiprocessor must have room.
LEAST_WARPS = 8
OCCUPANCY_SIZES = (1024, 2048)


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def demangled(text: str) -> str:
    return subprocess.run(
        ["c++filt"], input=text, check=True, capture_output=True, text=True
    ).stdout.replace("givens::cuda::", "")


def kernel_name(signature: str) -> str:
    return signature.removeprefix("void ").partition("(")[0]


def registers_and_local(objects: list[str]) -> dict[str, tuple[int, int]]:
    """Find the registers and bytes of local memory of each kernel."""
    out = {}
    for path in objects:
        text = demangled(run("cuobjdump", "-res-usage", path))
        found = re.findall(r"Function (.*):\n\s*REG:(\d+) STACK:(\d+).* LOCAL:(\d+)", text)
        if not found:
            raise SystemExit(f"{path}: no kernels found")
        for name, registers, stack, local in found:
            out[kernel_name(name)] = int(registers), int(stack) + int(local)
    return out


def check_registers_and_local(kernels: dict[str, tuple[int, int]]) -> list[str]:
    wrong = []
    for name, (registers, used) in kernels.items():
        most = REGISTERS.get(name.partition("<")[0], REGISTERS_OF_OTHERS)
        print(f"{registers:4} of {most:3} registers, {used} bytes of local memory  {name}")
        if registers > most:
            wrong.append(f"{name}: {registers} registers, expected at most {most}")
        if used:
            wrong.append(f"{name}: {used} bytes of local memory")
    return wrong


def check_occupancy(kernels: dict[str, tuple[int, int]]) -> list[str]:
    """Check that a multiprocessor has room for the warps that the estimates count on."""
    wrong = []
    for kernel in cuda_estimate.KERNELS:
        registers, _ = kernels.get(kernel.name, (0, 0))
        if not 0 < registers <= kernel.registers:
            wrong.append(f"{kernel.name}: {registers} registers, expected 1 to {kernel.registers}")
            continue
        for card in cuda_estimate.CARDS:
            for n in OCCUPANCY_SIZES:
                b = cuda_estimate.blocks_of(card, kernel, n)
                blocks = cuda_estimate.blocks_of_multiprocessor(
                    card, registers, b.threads, b.shared_bytes
                )
                warps = blocks * b.threads // 32
                print(
                    f"{card.name}, n = {n}: room for {blocks} blocks of {b.threads} threads and "
                    f"{b.shared_bytes} bytes, {warps} of 64 warps  {kernel.name}"
                )
                if warps < LEAST_WARPS:
                    wrong.append(f"{kernel.name}, {card.name}: {warps} warps, not {LEAST_WARPS}")
    return wrong


class Instruction(NamedTuple):
    operation: str
    operands: str


def instructions_of(path: str) -> dict[str, list[Instruction]]:
    """Find the instructions of each kernel, in order."""
    out: dict[str, list[Instruction]] = {}
    current: list[Instruction] = []
    for line in demangled(run("cuobjdump", "-sass", path)).splitlines():
        if match := re.search(r"Function : (.*)", line):
            current = out.setdefault(kernel_name(match.group(1)), [])
        elif match := re.search(
            r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)\s*([^;]*);", line
        ):
            current.append(Instruction(*match.groups()))
    return out


def shortest_block(instructions: list[Instruction], multiply_adds: int) -> tuple[int, int]:
    """Find the first and last multiply-add of the pattern with the fewest instructions."""
    found = [k for k, i in enumerate(instructions) if i.operation.startswith("FFMA")]
    ends = zip(found, found[multiply_adds - 1 :], strict=False)
    return min(ends, key=lambda ends: ends[1] - ends[0])


def loads_in_flight(instructions: list[Instruction], first: int, last: int) -> float:
    """Count the 16-byte loads under way in a block, on average over its instructions.

    By Little's law it follows from the instructions between each load and the first use of its
    result.
    """
    under_way = 0
    for k in range(max(first - 100, 0), last):
        load = instructions[k]
        if load.operation != "LDG.E.128":
            continue
        register = int(load.operands[1:].partition(",")[0])
        loaded = {register + word for word in range(4)}
        for distance, (operation, operands) in enumerate(instructions[k + 1 :], 1):
            read = operands if operation.startswith("ST") else operands.partition(",")[2]
            if not loaded.isdisjoint(map(int, re.findall(r"\bR(\d+)", read))):
                under_way += distance
                break
    return under_way / (last - first + 1)


def check_blocks(objects: list[str]) -> list[str]:
    """Say what is wrong with the instructions of rotation blocks."""
    wrong = []
    in_flight = {kernel.name: kernel.loads_in_flight for kernel in cuda_estimate.KERNELS}
    found = set()
    for path in objects:
        for name, instructions in instructions_of(path).items():
            if name not in BLOCKS:
                continue
            found.add(name)
            multiply_adds, least = BLOCKS[name]
            first, last = shortest_block(instructions, multiply_adds)
            share = multiply_adds / (last - first + 1)
            loads = loads_in_flight(instructions, first, last)
            print(f"{share:.0%} multiply-adds, {loads:.1f} loads of 16 bytes under way  {name}")
            if share < least:
                wrong.append(f"{name}: {share:.0%} multiply-adds, expected {least:.0%}")
            if loads < (expected := in_flight.get(name, 1)):
                wrong.append(f"{name}: {loads:.1f} loads under way, expected {expected}")
    wrong += [f"no kernel {name} found" for name in BLOCKS.keys() - found]
    return wrong


def main() -> None:
    objects = sys.argv[1:]
    kernels = registers_and_local(objects)
    wrong = check_registers_and_local(kernels) + check_occupancy(kernels) + check_blocks(objects)
    for line in wrong:
        print("wrong:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
