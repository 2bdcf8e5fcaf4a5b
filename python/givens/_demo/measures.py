"""The figures of merit of a transform.

A transform is a matrix of shape (64, 64), float32, whose rows are the atoms.
"""

import numpy as np

from givens._demo.patches import FloatArray

LARGEST = 8


def mean_l1_norm(basis: FloatArray, patches: FloatArray) -> float:
    """Return the mean L1 norm of the coefficients of unit-length patches.

    It is 1 if every patch is a single atom and 8 if all 64 coefficients are equal in magnitude.
    Hoyer's sparsity is an affine function of it, (8 - L1) / 7.

    Parameters
    ----------
    basis : ndarray, shape (64, 64), float32
        Orthogonal matrix, atoms in rows.
    patches : ndarray, shape (num_patches, 64), float32
        Patches of unit length, one a row.
    """
    return float(np.abs(patches @ basis.T).sum(axis=1).mean())


def energy_in_largest(basis: FloatArray, patches: FloatArray) -> float:
    """Return the mean share of a patch's energy in its 8 largest coefficients, 0 to 1."""
    energy = np.sort((patches @ basis.T) ** 2, axis=1)
    return float((energy[:, -LARGEST:].sum(axis=1) / energy.sum(axis=1)).mean())


def orthogonality_error(basis: FloatArray) -> float:
    """Return max |U^T U - I|, taken in float64 so that only the error of `basis` counts."""
    u = basis.astype(np.float64)
    return float(np.abs(u.T @ u - np.eye(len(u))).max())
