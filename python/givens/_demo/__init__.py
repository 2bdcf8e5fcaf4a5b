"""The demo: learn an orthogonal transform of image patches from its rotation angles.

The transform is learned to make the coefficients of 8 x 8 patches sparse, and is compared on
held-out patches with the pixels themselves, PCA and the two-dimensional DCT.
"""

import time
from pathlib import Path

import givens
from givens._demo.baselines import dct_basis, pca_basis, pixel_basis
from givens._demo.learning import BATCH, learn
from givens._demo.patches import PATCH_PIXELS, load_patches
from givens._demo.report import save_picture, table

STEPS = 1200
QUICK_STEPS = 100


def run(*, quick: bool, output: Path, seed: int) -> None:
    """Learn the transform, print the comparison and write the picture.

    Parameters
    ----------
    quick : bool
        Take few steps: enough to see it work, too few for a good transform.
    output : Path
        Where to write the PNG.
    seed : int
        Seed of the draw of mini-batches, the only random choice.
    """
    train, held_out = load_patches()
    print(f"Patches of two photographs: {len(train)} to learn from, {len(held_out)} held out,")
    print(
        "each less its mean and scaled to unit length. Patches of almost no contrast are left out."
    )

    schedule = givens.Schedule.xor(PATCH_PIXELS)
    steps = QUICK_STEPS if quick else STEPS
    print(f"Learning {schedule.num_rotations} angles: {steps} steps of {BATCH} patches", flush=True)
    start = time.perf_counter()
    learned, curve = learn(train, held_out, schedule, steps=steps, seed=seed)
    print(f"Learned in {time.perf_counter() - start:.1f} s.")

    bases = {
        "pixels": pixel_basis(),
        "PCA": pca_basis(train),
        "DCT": dct_basis(),
        "learned": learned,
    }
    print(f"\n{table(bases, held_out)}\n")
    save_picture(output, bases, held_out, curve)
    print(f"Picture: {output.resolve()}")
