"""`matrix` and `rotate` on tensors."""

from torch import Tensor

from givens import Schedule
from givens.torch import _operators


def matrix(
    angles: Tensor,
    schedule: Schedule,
    *,
    phases: Tensor | None = None,
    diagonal: Tensor | None = None,
    signs: Tensor | None = None,
) -> Tensor:
    """Form the orthogonal or unitary matrix of the given angles: `givens.matrix` on tensors.

    It has derivatives by angles, phases and diagonal, in reverse and forward mode and twice.

    Parameters
    ----------
    angles : Tensor, (..., K), float16, bfloat16, float32 or float64
        In radians, in schedule order; K = ``schedule.num_rotations``. Leading axes are batch axes.
    schedule : Schedule
        The rotations, on n coordinates.
    phases : Tensor, (..., K), optional
        In radians, dtype of angles. Makes U complex.
    diagonal : Tensor, (..., n), optional
        In radians, dtype of angles. Makes U complex.
    signs : Tensor, (..., n), optional
        Each +1 or -1, dtype of angles. Not together with `diagonal`.

    Returns
    -------
    Tensor, (*batch, n, columns)
        U, or its first ``schedule.columns`` columns, in the dtype of the angles; with phases or
        diagonal, complex64 or complex128.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As `givens.matrix`.
    NotImplementedError
        For derivatives of third order, and forward-mode derivatives of forward-mode ones.

    Notes
    -----
    Cost: see `givens.matrix` and, for the gradient, `givens.matrix_vjp`.

    Examples
    --------
    >>> import torch, givens
    >>> s = givens.Schedule.xor(4)
    >>> angles = torch.zeros(s.num_rotations, requires_grad=True)
    >>> U = givens.torch.matrix(angles, s)
    >>> U[1, 0].backward()
    >>> angles.grad
    tensor([1., 0., 0., 0., 0., 0.])
    """
    U: Tensor = _operators.matrix(angles, phases, diagonal, signs, schedule)
    return U


def rotate(
    x: Tensor,
    angles: Tensor,
    schedule: Schedule,
    *,
    axis: int = -1,
    inverse: bool = False,
    phases: Tensor | None = None,
    diagonal: Tensor | None = None,
    signs: Tensor | None = None,
) -> Tensor:
    """Multiply vectors by U, or by its inverse, without forming it: `givens.rotate` on tensors.

    It has derivatives by x, angles, phases and diagonal, in reverse and forward mode and twice. For
    the gradient it keeps the result but not x.

    Parameters
    ----------
    x : Tensor, (*batch, ..., n)
        The vectors; their n coordinates lie along `axis`. float16, bfloat16, float32 or complex64
        with angles of single precision or less, float64 or complex128 with float64 angles; complex
        if there are phases or a diagonal. Under autocast 16-bit vectors become float32.
    angles, schedule, phases, diagonal, signs
        As in `matrix`.
    axis : int, default -1
        The axis of x to rotate; not a batch axis.
    inverse : bool, default False
        Multiply by the inverse (transposed, or conjugate transposed) of U instead.

    Returns
    -------
    Tensor, the shape of x with the batch axes in full
        The rotated vectors, in the dtype of x. Arithmetic on 16-bit tensors is in float32.

    Raises
    ------
    TypeError, ValueError, RuntimeError, NotImplementedError
        As `matrix` and `givens.rotate`.

    Notes
    -----
    Cost: see `givens.rotate` and, for the gradient, `givens.rotate_vjp`.

    Examples
    --------
    >>> import torch, givens
    >>> s = givens.Schedule.circle(5)
    >>> angles = torch.linspace(-1, 1, s.num_rotations)
    >>> x = torch.arange(10.0).reshape(2, 5)
    >>> y = givens.torch.rotate(x, angles, s)
    >>> torch.allclose(y, x @ givens.torch.matrix(angles, s).T, atol=1e-5)
    True
    >>> jacobian = torch.func.jacfwd(givens.torch.rotate, argnums=1)(x, angles, s)
    >>> jacobian.shape
    torch.Size([2, 5, 10])
    """
    y: Tensor = _operators.rotate(x, angles, phases, diagonal, signs, schedule, axis, inverse)
    return y
