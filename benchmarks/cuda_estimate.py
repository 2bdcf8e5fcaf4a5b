"""Estimates, from the work that the CUDA kernels do, how long they take on a card.

Nothing is measured: this is a roofline with the assumptions that docs/cuda.md states, for float32,
the xor schedule, U from its angles and the gradient through it. It prints the tables of that page.
tests/cuda/check_compiled.py checks what `KERNELS` assumes of compiled code.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    name: str
    multiprocessors: int
    gigahertz: float  # boost
    l2_terabytes: float  # a second
    shared_bytes: int  # of a multiprocessor; a block may have 1 KiB less
    doubles: int  # multiply-adds a cycle and multiprocessor


CARDS = [
    Card("A100 (SXM)", 108, 1.41, 4.5, 164 * 1024, 32),
    Card("H100 (SXM)", 132, 1.755, 5.5, 228 * 1024, 64),
]


@dataclass(frozen=True)
class Kernel:
    """One of the two that do all stages, for wide panels of float32."""

    name: str  # as compiled
    panels: int  # in shared memory
    columns: int  # of a thread
    least_lanes: int  # the fewest threads that share a step
    offset_bytes: int  # shared memory for each column besides
    multiply_adds: int  # of a rotation and column
    # The compiled code has at most these registers, and at least the others.
    registers: int
    multiply_add_share: float  # of a rotation block's instructions
    loads_in_flight: float  # of 16 bytes of coefficients, of a thread, on average


ROTATE = Kernel("rotate_kernel<float, 4>", 1, 4, 1, 16, 2, 256, 0.80, 8.0)
VJP = Kernel("vjp_kernel<float, 2>", 2, 2, 4, 32, 6, 256, 0.70, 4.0)
KERNELS = (ROTATE, VJP)

MOST_THREADS = 256  # of a thread block
SINGLES = 128  # multiply-adds, or instructions of so many threads, a cycle and multiprocessor
LSU_BYTES = 128  # to or from registers a cycle and multiprocessor, whatever memory they are in
LAUNCH = 4e-6  # seconds from one kernel to the next
BARRIER = 0.05e-6
LOAD = 0.15e-6  # a load from the second-level cache
ORDER = 0.3e-6  # to look how far another panel is, and to tell how far this one is
STEP_BYTES = 36  # of a step in the plan
BLOCK_BYTES = 4 * (2 * 64 + 16)  # coefficients and row scales
SUM_BYTES = 2 * 4 * 64  # read and written
SINE_AND_COSINE = 150  # instructions in double, coefficients included


@dataclass(frozen=True)
class Blocks:
    """The thread blocks of a kernel on a card."""

    count: int
    width: int  # columns of a panel
    lanes: int
    threads: int
    shared_bytes: int


def blocks_of(card: Card, kernel: Kernel, n: int) -> Blocks:
    """Choose as choose_tiling of cuda/host/tiling.cpp does for n columns; n is a power of two."""
    column_bytes = 4 * n * kernel.panels + kernel.offset_bytes
    wide = kernel.columns * kernel.least_lanes

    def panels(width: int) -> int:
        return -(-n // width)

    def busiest(width: int) -> int:
        return width * -(-panels(width) // card.multiprocessors)

    width = 1
    while (
        width < min(32 * kernel.columns, n)
        and 2 * width * column_bytes + 16 <= card.shared_bytes - 1024
        and (
            width < wide
            or 4 * panels(2 * width) >= 3 * card.multiprocessors
            or busiest(2 * width) <= busiest(width)
        )
    ):
        width *= 2
    if width < wide:
        raise ValueError(f"{card.name}, n = {n}: the kernel for narrow panels is not estimated")
    lanes = width // kernel.columns
    diagonal_blocks = n // 8  # the most steps of a stage
    threads = min(-(-diagonal_blocks * lanes // 32) * 32, MOST_THREADS)
    return Blocks(panels(width), width, lanes, threads, width * column_bytes + 16)


def blocks_of_multiprocessor(card: Card, registers: int, threads: int, shared_bytes: int) -> int:
    """Count the blocks that one multiprocessor has room for; of capability 8.0 and 9.0."""
    warps = -(-threads // 32)
    # Registers are given out to warps in units of 256, and warps to four schedulers.
    registers_of_warp = -(-32 * (-(-registers // 8) * 8) // 256) * 256
    by_registers = 65536 // registers_of_warp // 4 * 4 // warps
    by_shared = card.shared_bytes // (-(-(shared_bytes + 1024) // 128) * 128)
    return min(by_registers, by_shared, 64 // warps, 32)


def estimate(card: Card, kernel: Kernel, n: int) -> tuple[float, str]:
    """Seconds for U, or for its gradient, and what bounds them."""
    # From the identity, a merge level with blocks of B rows has (B / 16)**2 rotation blocks in the
    # one block that counts.
    steps = sum((2**k // 16) ** 2 for k in range(4, n.bit_length()))
    stages = n // 8
    coefficients = n * n / 2 * SINE_AND_COSINE / (card.multiprocessors * card.doubles)
    hertz = card.gigahertz * 1e9

    blocks = blocks_of(card, kernel, n)
    together = blocks_of_multiprocessor(card, kernel.registers, blocks.threads, blocks.shared_bytes)
    used = min(blocks.count, card.multiprocessors)
    panels_of_one = -(-blocks.count // card.multiprocessors)
    rounds = -(-panels_of_one // together)

    # Cycles of a rotation block and panel.
    numbers = 16 * kernel.panels * blocks.width
    arithmetic = 64 * kernel.multiply_adds * blocks.width / SINGLES
    issue = arithmetic / kernel.multiply_add_share
    moved = blocks.lanes * 64 * 8 + 2 * numbers * 4
    shuffles = 8 * (4 + 2 + math.log2(blocks.lanes // 4) * 2) if kernel.panels == 2 else 0
    accesses = moved / LSU_BYTES + shuffles * blocks.lanes / 32
    in_multiprocessor = steps * panels_of_one * max(issue, accesses) / hertz

    bytes_of_step = STEP_BYTES + BLOCK_BYTES + (SUM_BYTES if kernel.panels == 2 else 0)
    in_cache = blocks.count * steps * bytes_of_step / (card.l2_terabytes * 1e12)
    # Two loads of 16 bytes are in one sector of 32, so that the second waits for no more. Lanes
    # that share a step load the same.
    threads = min(n // 16 * blocks.lanes, blocks.threads) * min(together, panels_of_one)
    in_flight = 32 * kernel.loads_in_flight * threads / blocks.lanes * used
    waiting = blocks.count * steps * BLOCK_BYTES / in_flight * LOAD

    streaming, bound = max(
        (in_cache, "second-level cache"),
        (waiting, "latency of loads"),
        (
            in_multiprocessor,
            "instructions" if issue > accesses else "loads and stores",
        ),
    )
    seconds = 2 * LAUNCH + coefficients / hertz + streaming + rounds * stages * (BARRIER + LOAD)
    if kernel.panels == 2:
        # A stage's steps and their first scales are read while a thread looks at other panels. At
        # the end, and at the beginning, a panel waits for twice the square root of all.
        seconds += rounds * stages * (BARRIER + max(ORDER, 2 * LOAD))
        seconds += 4 * blocks.count**0.5 * streaming / stages
    return seconds, bound


def print_times() -> None:
    print("| card | n | U from angles | its gradient | both | bound by |")
    print("|---|---|---|---|---|---|")
    for card in CARDS:
        for n in (256, 512, 1024, 2048):
            (forward, bound), (backward, bound_back) = (estimate(card, k, n) for k in KERNELS)
            print(
                f"| {card.name} | {n} | {forward * 1e6:.0f} us | {backward * 1e6:.0f} us "
                f"| {(forward + backward) * 1e6:.0f} us | {bound}; {bound_back} |"
            )


def print_occupancy() -> None:
    print("| card | kernel | n | panels | columns | threads | shared memory | warps |")
    print("|---|---|---|---|---|---|---|---|")
    for card in CARDS:
        for kernel in KERNELS:
            for n in (256, 512, 1024, 2048):
                b = blocks_of(card, kernel, n)
                most = blocks_of_multiprocessor(card, kernel.registers, b.threads, b.shared_bytes)
                warps = min(most, -(-b.count // card.multiprocessors)) * b.threads // 32
                print(
                    f"| {card.name} | {kernel.name} | {n} | {b.count} | {b.width} | {b.threads} "
                    f"| {b.shared_bytes / 1024:.0f} KiB | {warps} |"
                )


def main() -> None:
    print_times()
    print()
    print_occupancy()


if __name__ == "__main__":
    main()
