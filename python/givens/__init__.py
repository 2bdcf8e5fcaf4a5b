"""Orthogonal and unitary matrices from rotation angles, in parallel, with exact gradients.

A `Schedule` says in which order which pairs of coordinates are rotated; an array of angles, one for
each rotation, then defines an orthogonal matrix U. `matrix` forms it, `rotate` applies it without
forming it. `matrix_vjp` and `rotate_vjp` compute their gradients, `matrix_jvp` and `rotate_jvp`
forward-mode derivatives, `rotate_vjp_jvp` second derivatives. `decompose` and `fit_angles` find the
angles of a given U, `approximate` few rotations whose product is near it, and `jacobi` rotations
that make a symmetric matrix diagonal. `initial_parameters` draws angles, and `haar_log_density` is
the density with which U is uniformly distributed; `random_rotation` draws a fast rotation that
mixes as such a U.

Arrays come from NumPy, or from any library that exports them by ``__dlpack__``, as PyTorch, JAX and
CuPy do; results are arrays of the same library. They may be in the memory of a GPU: `cuda` says
whether one can be used.

Method: F. Hamze, "Parallelized Computation and Backpropagation Under Angle-Parametrized Orthogonal
Matrices", arXiv:2106.00003.

Examples
--------
>>> import numpy as np, givens
>>> s = givens.Schedule.xor(4)
>>> angles = np.full(s.num_rotations, 0.1)
>>> U = givens.matrix(angles, s)
>>> bool(np.allclose(U.T @ U, np.eye(4)))
True
"""

from givens import cuda
from givens._approximate import Approximation, approximate
from givens._core import Schedule, __version__
from givens._decompose import decompose
from givens._fit import FitError, fit_angles
from givens._gradients import MatrixGradients, RotateGradients
from givens._haar import haar_log_density, haar_log_density_gradient
from givens._initial import initial_parameters
from givens._jacobi import Diagonalisation, jacobi
from givens._jvp import matrix_jvp, rotate_jvp, rotate_vjp_jvp
from givens._operator import Operator
from givens._parameters import Parameters
from givens._random import random_rotation
from givens._threads import get_num_threads, register_threadpoolctl, set_num_threads
from givens._transform import matrix, matrix_vjp, rotate, rotate_vjp

__all__ = [
    "Approximation",
    "Diagonalisation",
    "FitError",
    "MatrixGradients",
    "Operator",
    "Parameters",
    "RotateGradients",
    "Schedule",
    "__version__",
    "approximate",
    "cuda",
    "decompose",
    "fit_angles",
    "get_num_threads",
    "haar_log_density",
    "haar_log_density_gradient",
    "initial_parameters",
    "jacobi",
    "matrix",
    "matrix_jvp",
    "matrix_vjp",
    "random_rotation",
    "register_threadpoolctl",
    "rotate",
    "rotate_jvp",
    "rotate_vjp",
    "rotate_vjp_jvp",
    "set_num_threads",
]
