"""Estimates, from the work that the CUDA kernels do, how long they take on a card.

No measurement: a roofline with the assumptions that docs/cuda.md states. Float32, the xor schedule,
U from its angles and the gradient through it. Prints the table of that page.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    name: str
    multiprocessors: int
    gigahertz: float  # boost
    l2_terabytes: float  # a second
    shared_bytes: int  # that a block may have
    doubles: int  # multiply-adds a cycle and multiprocessor


CARDS = [
    Card("A100 (SXM)", 108, 1.41, 4.5, 163 * 1024, 32),
    Card("H100 (SXM)", 132, 1.755, 5.5, 227 * 1024, 64),
]

SINGLES = 128  # multiply-adds a cycle and multiprocessor
LSU_BYTES = 128  # to or from registers a cycle and multiprocessor, whatever memory they are in
LAUNCH = 4e-6  # seconds from one kernel to the next
BARRIER = 0.5e-6  # a stage's barrier, and three loads from the second-level cache in a row
ORDER = 0.3e-6  # a look at how far another panel is
TILE_BYTES = 4 * (2 * 64 + 16)  # coefficients and factors
SINE_AND_COSINE = 150  # instructions in double, coefficients included


def widths(card: Card, n: int, panels: int, columns_of_thread: int, least_lanes: int) -> int:
    """Columns of a panel, chosen as by cuda/tiling.cpp."""
    width = 1
    while (
        width < min(32 * columns_of_thread, n)
        and 2 * width * (4 * n * panels + 32) <= card.shared_bytes
        and (
            width < columns_of_thread * least_lanes
            or 4 * -(-n // (2 * width)) >= 3 * card.multiprocessors
        )
    ):
        width *= 2
    return width


def estimate(card: Card, n: int) -> tuple[float, str, float, str]:
    """Seconds for U and for its gradient, and what bounds each."""
    # From the identity: a level with blocks of B rows has (B / 16)**2 tiles in the one that counts.
    blocks = [2**k for k in range(4, n.bit_length()) if 2**k <= n]
    tiles = sum((b // 16) ** 2 for b in blocks)
    stages = n // 8
    coefficients = n * n / 2 * SINE_AND_COSINE / (card.multiprocessors * card.doubles)
    first_kernel = LAUNCH + coefficients / (card.gigahertz * 1e9)

    def panel_kernel(
        panels: int, columns: int, multiply_adds: int, least_lanes: int, shuffles: int
    ) -> tuple[float, str]:
        width = widths(card, n, panels, columns, least_lanes)
        count = -(-n // width)
        waves = -(-count // card.multiprocessors)
        lanes = max(width // columns, least_lanes)
        arithmetic = (64 * multiply_adds + 16 * panels) * width / SINGLES
        moved = lanes * 64 * 8 + 2 * 16 * width * 4 * panels
        accesses = moved / LSU_BYTES + shuffles * lanes / 32
        cycles = tiles * waves * max(arithmetic, accesses)
        sums = 4 * 64 * 2 if panels == 2 else 0
        l2 = count * tiles * (TILE_BYTES + sums) / (card.l2_terabytes * 1e12)
        sm = cycles / (card.gigahertz * 1e9)
        bound = (
            "second-level cache"
            if l2 > sm
            else ("multiply-adds" if arithmetic > accesses else "loads and stores of registers")
        )
        seconds = LAUNCH + max(l2, sm) + waves * stages * BARRIER
        if panels == 2:  # twice the square root of the panels are waited for
            seconds += stages * ORDER + 2 * count**0.5 * (max(l2, sm) / stages) * 2
        return seconds, bound

    forward, bound_forward = panel_kernel(1, 4, 2, 1, 0)
    backward, bound_backward = panel_kernel(2, 4, 6, 4, 8 * (4 + 2 + 2))
    return first_kernel + forward, bound_forward, first_kernel + backward, bound_backward


def main() -> None:
    print("| card | n | U from angles | its gradient | both | bound by |")
    print("|---|---|---|---|---|---|")
    for card in CARDS:
        for n in (256, 512, 1024, 2048):
            forward, bound, backward, bound_back = estimate(card, n)
            print(
                f"| {card.name} | {n} | {forward * 1e6:.0f} us | {backward * 1e6:.0f} us "
                f"| {(forward + backward) * 1e6:.0f} us | {bound}; {bound_back} |"
            )


if __name__ == "__main__":
    main()
