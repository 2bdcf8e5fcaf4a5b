"""Fast random rotations, the same from a seed on every machine."""

import math
import operator

import numpy as np
from numpy.typing import DTypeLike, NDArray

from givens._core import Schedule
from givens._operator import Operator


def random_rotation(
    n: int, seed: int, rounds: int | None = None, dtype: DTypeLike = np.float64
) -> Operator:
    """Draw a rotation that takes O(n log n) to apply and mixes coordinates as a uniform one does.

    It is a product of plane rotations in the order of ``Schedule.butterfly``, over and over, so it
    is orthogonal for every n, not only for powers of two, and its inverse costs as much. A rotated
    unit vector has coordinates that 10**5 seeds do not tell from the coordinates of a uniformly
    distributed one, for the vectors that mix slowest: single coordinates, two nonzeros, constants.
    That is what vector quantisation, sketching and Johnson- Lindenstrauss transforms ask of a
    random rotation. Its determinant is 1.

    Parameters
    ----------
    n : int
        Number of coordinates, at least 0.
    seed : int
        0 to 2**64 - 1. The same n, seed, rounds and dtype give the same bits on every machine and
        with every version of NumPy.
    rounds : int, optional
        Rounds of the butterfly, whose passes have log2 n of them; at least 0. Default: 3 passes
        where n is a power of two, otherwise 4, since some coordinates then meet few others in a
        pass.
    dtype : dtype, default float64
        The dtype of the angles: float64 or float32.

    Returns
    -------
    Operator
        The rotation, with its `angles` and `schedule`.

    Raises
    ------
    TypeError
        If n, seed or rounds is no integer, or dtype is neither float32 nor float64.
    ValueError
        If n, seed or rounds is out of range.

    Notes
    -----
    Cost: O(n log n) to draw and to apply; 3 n/2 log2 n rotations of two coordinates for a power of
    two.

    A round joins two halves, of a and b coordinates. Were all vectors of a + b coordinates equally
    likely, the half of b would have a part of the squared length with the distribution
    Beta(b/2, a/2) (Genz, "Methods for generating random orthogonal matrices", 1998). Angles are
    uniform in a window that has the mean of this distribution and nearly its variance, times random
    signs and half turns; for a = b = 1 this is the whole circle. Angles uniform on the circle in
    every round need about twice as many rounds.

    The random numbers are the raw 64-bit words of ``numpy.random.Philox`` with the key (seed, n),
    one for each angle, which NumPy keeps as they are. Angles are computed from them by additions,
    multiplications, divisions and square roots only, which IEEE 754 rounds in one way.

    Examples
    --------
    >>> import numpy as np, givens
    >>> R = givens.random_rotation(100, seed=7)
    >>> x = np.zeros(100)
    >>> x[3] = 1
    >>> y = R.rotate(x)
    >>> bool(np.abs(y).max() < 0.5), bool(np.allclose(R.rotate(y, inverse=True), x))
    (True, True)
    """
    one_pass = Schedule.butterfly(n)  # which checks n
    n = one_pass.n
    key = _integer(seed, "seed")
    if not 0 <= key < 2**64:
        raise ValueError(f"seed must be between 0 and 2**64 - 1, got {key}")
    made = np.dtype(dtype)
    if made not in (np.float32, np.float64):
        raise TypeError(f"dtype must be float32 or float64, got {made}")
    of_pass = one_pass.num_rounds
    if rounds is None:
        rounds = of_pass * (3 if n & (n - 1) == 0 else 4)
    if _integer(rounds, "rounds") < 0:
        raise ValueError(f"rounds must be at least 0, got {rounds}")
    # With n of 0 and 1 there are no rounds in a pass.
    passes, rest = divmod(rounds, of_pass) if of_pass else (0, 0)
    schedule = Schedule.butterfly(n, passes)
    if rest:
        schedule += Schedule.from_rounds(n, [one_pass.round(r) for r in range(rest)])
    generator = np.random.Philox(key=np.array([key, n], np.uint64))
    words = generator.random_raw((passes + 1) * one_pass.num_rotations)
    angles = _angles(words.reshape(-1, max(1, one_pass.num_rotations)), one_pass)
    return Operator(angles.ravel()[: schedule.num_rotations].astype(made), schedule)


def _integer(value: object, name: str) -> int:
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}") from None


def _angles(words: NDArray[np.uint64], one_pass: Schedule) -> NDArray[np.float64]:
    """Turn words of 64 random bits, (passes, rotations of a pass), into angles."""
    windows = [
        (*_window(1 << r, other), pairs)
        for r in range(one_pass.num_rounds)
        for other, pairs in _joined(one_pass.n, 1 << r)
    ]
    centres, widths, counts = zip(*windows, strict=True) if windows else ((), (), ())
    centre, width = np.repeat(centres, counts), np.repeat(widths, counts)
    # 53 bits as a number from -1 to 1, and one bit each for half a turn and for the sign.
    angles: NDArray[np.float64] = centre + width * ((words >> 11) * 2.0**-52 - 1)
    angles -= math.pi * (words & 1)
    angles *= 1.0 - (words & 2)
    return angles


def _joined(n: int, size: int) -> list[tuple[int, int]]:
    """Return what a round of a butterfly joins to halves of `size` coordinates.

    These are (coordinates of the other half, number of pairs): whole halves, and the last, which
    may have fewer.
    """
    whole, rest = divmod(n, 2 * size)
    last = max(rest - size, 0)
    return [(size, whole * size), *([(last, last)] if last else [])]


def _window(size: int, other: int) -> tuple[float, float]:
    """Return centre and half width of the angles, of 0 to pi / 2, that join two halves.

    The half of `other` coordinates keeps cos^2 of its squared length, and gets sin^2 of the other
    half's. The mean of cos^2 is other / (size + other).
    """
    both = size + other
    # Its square is about three times the variance of the angle, and exactly for two coordinates.
    width = math.sqrt(3 / (2 * both - 4 + 48 / (math.pi * math.pi)))
    if size == other:
        return math.pi / 4, width
    # The mean of cos(2 t) is cos(2 centre) sin(2 width) / (2 width), here by the series of sine.
    square = 4 * width * width
    part = 1 - square / 6 * (1 - square / 20 * (1 - square / 42))
    cosine = math.sqrt((1 + (other - size) / both / part) / 2)
    # Abramowitz and Stegun 4.4.45: arc cosine to 5e-5.
    series = 1.5707288 + cosine * (-0.2121144 + cosine * (0.0742610 - 0.0187293 * cosine))
    return math.sqrt(1 - cosine) * series, width
