"""The transforms to compare with.

Each is a matrix of shape (64, 64), float32, whose rows are the atoms: a patch x has the
coefficients U @ x. Patches are flattened row by row.
"""

import numpy as np

from givens._demo.patches import PATCH_PIXELS, PATCH_SIDE, FloatArray


def pixel_basis() -> FloatArray:
    """Return the identity: the coefficients are the pixels."""
    return np.eye(PATCH_PIXELS, dtype=np.float32)


def dct_basis() -> FloatArray:
    """Return the orthonormal two-dimensional DCT-II, the transform of JPEG."""
    position = np.arange(PATCH_SIDE)
    frequency = position[:, np.newaxis]
    dct = np.cos(np.pi * (position + 0.5) * frequency / PATCH_SIDE) * np.sqrt(2 / PATCH_SIDE)
    dct[0] /= np.sqrt(2)
    return np.kron(dct, dct).astype(np.float32)


def pca_basis(patches: FloatArray) -> FloatArray:
    """Return the principal axes of `patches`, shape (num_patches, 64), largest variance first."""
    _, axes = np.linalg.eigh(np.cov(patches, rowvar=False))
    return axes.T[::-1].astype(np.float32)
