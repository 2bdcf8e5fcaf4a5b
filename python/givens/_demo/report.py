"""The report: the table and the picture."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from givens._demo.learning import Curve
from givens._demo.measures import energy_in_largest, mean_l1_norm, orthogonality_error
from givens._demo.patches import PATCH_PIXELS, PATCH_SIDE, FloatArray

COLOURS = {"pixels": "#999999", "PCA": "#009e73", "DCT": "#d55e00", "learned": "#0072b2"}


def table(bases: Mapping[str, FloatArray], held_out: FloatArray) -> str:
    """Compare `bases`, name to (64, 64) matrix, on the held-out patches (num_patches, 64)."""
    lines = [
        "On the held-out patches:",
        "",
        "transform   L1 norm   energy in 8 largest   max|U^T U - I|",
    ]
    for name, basis in bases.items():
        l1 = mean_l1_norm(basis, held_out)
        energy = f"{energy_in_largest(basis, held_out):.1%}"
        lines.append(f"{name:<9}   {l1:7.3f}   {energy:>19}   {orthogonality_error(basis):14.1e}")
    lines += [
        "",
        "L1 norm: mean over patches of unit length. It is 1 if one coefficient holds the whole",
        "patch and 8 if all 64 are equal in magnitude: lower is sparser.",
    ]
    return "\n".join(lines)


def save_picture(
    path: Path, bases: Mapping[str, FloatArray], held_out: FloatArray, curve: Curve
) -> None:
    """Write the atoms of "learned" and "DCT" and the training curve as a PNG.

    Parameters
    ----------
    path : Path
        File to write.
    bases : mapping of str to ndarray, shape (64, 64), float32
        The transforms of the table.
    held_out : ndarray, shape (num_patches, 64), float32
        Patches by whose energy the atoms are sorted.
    curve : Curve
        The course of the learning.
    """
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    left, middle, right = figure.subplots(
        1, 3, width_ratios=(1, 1, 1.25), gridspec_kw={"wspace": 0.05}
    )
    _draw_atoms(left, "Learned atoms", bases["learned"], held_out)
    _draw_atoms(middle, "DCT atoms", bases["DCT"], held_out)

    right.plot(curve.batch_l1, color=COLOURS["learned"], alpha=0.25, linewidth=0.8)
    for name in ("pixels", "PCA", "DCT"):
        l1 = mean_l1_norm(bases[name], held_out)
        right.axhline(l1, color=COLOURS[name], linestyle="--", label=f"{name}: {l1:.3f}")
    label = f"learned: {curve.held_out_l1[-1]:.3f}"
    right.plot(curve.held_out_steps, curve.held_out_l1, color=COLOURS["learned"], label=label)
    right.set_title("On held-out patches (pale: on training batches)")
    right.set_xlabel("step")
    right.set_ylabel("mean L1 norm of coefficients (lower is sparser)")
    right.set_xlim(0, curve.held_out_steps[-1])
    right.legend(frameon=False)
    right.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png", dpi=150)


def _draw_atoms(axes: Axes, title: str, basis: FloatArray, patches: FloatArray) -> None:
    """Draw the 64 atoms, shape (64, 64), in an 8 x 8 grid, the one of most energy first."""
    order = np.argsort(-((patches @ basis.T) ** 2).mean(axis=0))
    cell = PATCH_SIDE + 1
    grid = np.full((PATCH_SIDE * cell + 1, PATCH_SIDE * cell + 1), np.nan)
    for place in range(PATCH_PIXELS):
        atom = basis[order[place]].reshape(PATCH_SIDE, PATCH_SIDE)
        row, column = (cell * index + 1 for index in divmod(place, PATCH_SIDE))
        grid[row : row + PATCH_SIDE, column : column + PATCH_SIDE] = atom / np.abs(atom).max()
    # The frames have a colour: the constant atom is all white or all black.
    greys = colormaps["gray"].with_extremes(bad="#b9cfe0")
    axes.imshow(grid, cmap=greys, vmin=-1, vmax=1, interpolation="nearest")
    axes.set_title(f"{title}, by energy")
    axes.axis("off")
