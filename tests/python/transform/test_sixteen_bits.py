"""Vectors of 16 bits: what is computed for the same vectors in float32, rounded once.

The engine converts on the way into and out of its panels, so results have the same bits as those in
float32 after NumPy has rounded them. Those are tested elsewhere.
"""

import numpy as np
import pytest

import givens
from cases import REAL_OPTIONS, SCHEDULES, Case, exactly
from givens import Schedule
from oracles import present

DTYPES = ["float16", "bfloat16"]
EACH_DTYPE = pytest.mark.parametrize("dtype", DTYPES)


def type_of(dtype: str) -> np.dtype:
    if dtype == "float16":
        return np.dtype(np.float16)
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16)


def check(c: Case, dtype: str, axis: int = -1, inverse: bool = False) -> None:
    """Compare bits with a call in float32."""
    kind = type_of(dtype)
    how = {"axis": axis, "inverse": inverse, **c.given}
    x = c.x.astype(kind)
    y = givens.rotate(x, **how)
    assert (type(y), y.dtype) == (np.ndarray, kind)
    expected = givens.rotate(x.astype(np.float32), **how)
    assert y.tobytes() == expected.astype(kind).tobytes()

    gy = y[::-1].copy()
    gx, *gradients = givens.rotate_vjp(y, gy, **how)
    wide = givens.rotate_vjp(y.astype(np.float32), gy.astype(np.float32), **how)
    assert gx.dtype == kind
    assert gx.tobytes() == wide.x.astype(kind).tobytes()
    for g, e in zip(present(gradients), present(wide[1:]), strict=True):
        assert g.dtype == np.float32
        assert g.tobytes() == e.tobytes()

    in_place = x.copy()
    if in_place.shape == y.shape:
        assert givens.rotate(in_place, out=in_place, **how) is in_place
        assert in_place.tobytes() == y.tobytes()


@EACH_DTYPE
@pytest.mark.parametrize("n", [1, 2, 3, 8, 13, 16, 17, 33, 64, 97])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_and_sizes(name: str, n: int, dtype: str) -> None:
    for rows in (1, 3, 16, 33):
        c = Case.of(SCHEDULES[name](n), "signs", (rows, n), dtype=np.float32)
        check(c, dtype)
        check(c, dtype, inverse=True)
    check(Case.of(SCHEDULES[name](n), "angles alone", (n, 5), dtype=np.float32), dtype, axis=0)


@EACH_DTYPE
@pytest.mark.parametrize("kind", REAL_OPTIONS)
@pytest.mark.parametrize("matrices", [1, 3, 16, 21])
def test_batches(matrices: int, kind: str, dtype: str) -> None:
    for n in (4, 8, 11):
        batches = ((matrices,), (1,))
        c = Case.of(Schedule.circle(n), kind, (matrices, 4, n), dtype=np.float32, batches=batches)
        check(c, dtype)
        check(c, dtype, inverse=True)


@EACH_DTYPE
def test_any_strides(dtype: str) -> None:
    kind = type_of(dtype)
    schedule = Schedule.xor(16)
    rng = np.random.default_rng(1)
    angles = rng.standard_normal(schedule.num_rotations).astype(np.float32)
    x = rng.standard_normal((7, 16)).astype(kind)
    expected = givens.rotate(x, angles, schedule)
    base = np.zeros((14, 32), kind)
    raw = np.zeros(2 * x.size + 1, np.uint8)[1:].view(kind).reshape(x.shape)
    for out in (base[::2, ::2], base[::-2, :16], x.T.copy().T, raw):
        out[...] = x
        assert givens.rotate(out, angles, schedule).tobytes() == expected.tobytes()
    for out in (base[::2, ::2], base[::-2, :16], x.T.copy().T):
        assert givens.rotate(x, angles, schedule, out=out) is out
        assert out.tobytes() == expected.tobytes()


@EACH_DTYPE
def test_numbers_that_are_not_finite_and_overflow(dtype: str) -> None:
    kind = type_of(dtype)
    schedule = Schedule.circle(2)
    angles = np.full(1, np.pi / 4, np.float32)
    most = np.float32(np.finfo(np.float16).max if dtype == "float16" else 3.3e38)
    x = np.array([[np.nan, 1], [np.inf, 1], [most, -most], [1, 1]], np.float32).astype(kind)
    y = givens.rotate(x, angles, schedule)
    assert np.isnan(y[0].astype(float)).all()
    assert np.isinf(y[1].astype(float)).all()
    assert np.isinf(y[2].astype(float)[0])
    assert np.isfinite(y[3].astype(float)).all()


@EACH_DTYPE
def test_what_takes_no_16_bits(dtype: str) -> None:
    kind = type_of(dtype)
    schedule = Schedule.circle(4)
    angles = np.zeros(6, np.float32)
    x = np.zeros((2, 4), kind)
    wide = "must be float32, float64, complex64 or complex128, got"
    calls = {
        f"x {wide}": lambda: givens.rotate_jvp(x, None, angles, None, schedule),
        f"dx {wide}": lambda: givens.rotate_jvp(x.astype("f4"), x, angles, None, schedule),
        f"y {wide}": lambda: givens.rotate_vjp_jvp(x, None, x, None, angles, None, schedule),
        f"U {wide}": lambda: givens.matrix_vjp(*[np.eye(4).astype(kind)] * 2, angles, schedule),
        "angles must be float32 or float64, got": lambda: givens.matrix(
            angles.astype(kind), schedule
        ),
        "x must be float64 or complex128 with float64 angles, got": lambda: givens.rotate(
            x, angles.astype(float), schedule
        ),
        "x must be complex64 with float32 phases or diagonal, got": lambda: givens.rotate(
            x, angles, schedule, phases=angles
        ),
        "out must be float32 as x is, got": lambda: givens.rotate(
            x.astype("f4"), angles, schedule, out=x
        ),
    }
    for message, call in calls.items():
        with pytest.raises(TypeError, match=exactly(f"{message} {dtype}")):
            call()
