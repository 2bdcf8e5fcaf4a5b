"""`decompose`: the parameters of a given matrix make it again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import givens
from cases import EACH_DTYPE, exactly, random_vectors
from givens import Schedule

FIELDS = pytest.mark.parametrize("dtype", ["float64", "complex128"])
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 17, 31, 32, 33]


def orthogonal(rng, *shape: int, dtype="float64") -> np.ndarray:
    """Return the Q of normally distributed matrices, computed in double precision."""
    wide = np.result_type(dtype, np.float64)
    return np.linalg.qr(random_vectors(rng, shape, wide))[0].astype(dtype)


def matrix(p: givens.Parameters) -> np.ndarray:
    return givens.matrix(**p._asdict())


def error(U: np.ndarray, p: givens.Parameters) -> float:
    """Return the largest difference between entries of U and of what the parameters make."""
    return float(np.abs(matrix(p) - U).max(initial=0))


def rounding(n: int, dtype="float64") -> float:
    """Bound the error of an entry.

    The bound is 1e-13 n in double precision, and in single precision the same multiple of eps, 450
    n. A column goes through n rounds, which err by at most 8 eps each (`oracles.rounding`) in the
    elimination, by pi eps/2 as the angles are rounded, and by 8 eps in `matrix`.
    """
    return 1e-13 * n * float(np.finfo(dtype).eps) / float(np.finfo("float64").eps)


@pytest.mark.parametrize("n", SIZES)
@EACH_DTYPE
def test_parameters_make_the_matrix(dtype: str, n: int) -> None:
    U = orthogonal(np.random.default_rng(n), 5, n, n, dtype=dtype)
    before = U.copy()
    p = givens.decompose(U)
    np.testing.assert_array_equal(U, before)
    assert p.schedule == Schedule.brickwall(n)
    real = np.finfo(dtype).dtype
    assert (p.angles.shape, p.angles.dtype) == ((5, n * (n - 1) // 2), real)
    if np.iscomplexobj(U):
        assert (p.phases.shape, p.phases.dtype) == (p.angles.shape, real)
        assert (p.diagonal.shape, p.diagonal.dtype) == ((5, n), real)
        assert p.signs is None
    else:
        assert p.phases is None
        assert p.diagonal is None
        assert (p.signs.shape, p.signs.dtype) == ((5, n), real)
    assert error(U, p) <= rounding(n, dtype)


@FIELDS
@pytest.mark.parametrize("n", [127, 128, 512])
def test_large_matrices(n: int, dtype: str) -> None:
    U = orthogonal(np.random.default_rng(n), n, n, dtype=dtype)
    assert error(U, givens.decompose(U)) <= 1e-13 * n


@pytest.mark.parametrize("n", SIZES)
def test_signs_are_the_determinant(n: int) -> None:
    U = orthogonal(np.random.default_rng(n), 6, n, n)
    signs = givens.decompose(U).signs
    np.testing.assert_array_equal(np.prod(signs, axis=-1), np.sign(np.linalg.det(U)))
    assert np.all(np.sum(signs < 0, axis=-1) <= 1)
    # One of the two is 1: the angles alone make it.
    U[:, :, 0] *= np.sign(np.linalg.det(U))[:, None]
    p = givens.decompose(U)
    assert np.all(p.signs == 1)
    assert np.abs(givens.matrix(p.angles, p.schedule) - U).max() <= rounding(n)


@pytest.mark.parametrize(
    ("n", "m"),
    [(1, 1), (2, 1), (3, 3), (5, 0), (6, 5), (7, 3), (9, 2), (16, 16), (17, 9), (40, 33)],
)
@EACH_DTYPE
def test_wavefront_makes_every_frame(n: int, m: int, dtype: str) -> None:
    U = orthogonal(np.random.default_rng(n + m), 4, n, n, dtype=dtype)[..., :m]
    p = givens.decompose(U, schedule="wavefront")
    assert p.schedule == Schedule.wavefront(n, columns=m)
    # As many angles as the manifold has dimensions; and so many phases, with m more.
    assert p.angles.shape == (4, n * m - m * (m + 1) // 2)
    assert error(U, p) <= rounding(n + m, dtype)
    assert (p.signs is None) == (m < n or np.iscomplexobj(U))
    if m < n:
        q = givens.decompose(U)
        assert q.schedule == p.schedule
        np.testing.assert_array_equal(p.angles, q.angles)


@EACH_DTYPE
def test_wavefront_and_brickwall_make_one_matrix(dtype: str) -> None:
    U = orthogonal(np.random.default_rng(1), 3, 8, 8, dtype=dtype)
    for schedule in ("wavefront", "brickwall"):
        assert error(U, givens.decompose(U, schedule=schedule)) <= rounding(16, dtype)


@pytest.mark.parametrize(("n", "m"), [(6, 6), (6, 2)])
@EACH_DTYPE
def test_tolerance_and_nearest(n: int, m: int, dtype: str) -> None:
    U = orthogonal(np.random.default_rng(n), n, n, dtype=dtype)[:, :m]
    rough = np.round(U, 4)
    with pytest.raises(ValueError, match="at most"):
        givens.decompose(rough)
    # The elimination takes what is left for the diagonal, which then is no longer of size 1.
    assert error(U, givens.decompose(rough, tolerance=1e-3)) <= 1e-3
    p = givens.decompose(rough, nearest=True)
    left, _, right = np.linalg.svd(rough.astype(np.result_type(dtype, "float64")), False)
    assert error(left @ right, p) <= rounding(n + m, dtype)
    with pytest.raises(ValueError, match="at most 1e-06"):
        givens.decompose(rough, nearest=True, tolerance=1e-6)
    # Any matrix has a nearest one.
    p = givens.decompose(3 * U, nearest=True)
    assert error(U, p) <= rounding(n + m, dtype)


def test_nearest_of_other_libraries() -> None:
    torch = pytest.importorskip("torch")
    U = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(0)))[0]
    p = givens.decompose(2 * U[:, :3], nearest=True)
    assert isinstance(p.angles, torch.Tensor)
    assert p.angles.dtype == torch.float32
    assert error(U[:, :3].numpy(), givens.Parameters(p.schedule, p.angles.numpy())) <= 1e-5


@EACH_DTYPE
def test_identity_has_no_angles(dtype: str) -> None:
    for n in range(9):
        p = givens.decompose(np.eye(n, dtype=dtype))
        assert not np.any(p.angles)
        assert not np.any(p.diagonal if np.iscomplexobj(np.zeros(0, dtype)) else p.signs < 0)


@given(st.permutations(range(9)), st.integers(0, 2**9 - 1), st.integers(1, 9))
def test_permutations_take_quarter_turns(order: list[int], negative: int, n: int) -> None:
    order = [k for k in order if k < n]
    signs = [1.0 - 2 * (negative >> k & 1) for k in range(n)]
    U = np.diag(signs)[order]
    p = givens.decompose(U)
    assert set(p.angles.tolist()) <= {0.0, np.pi / 2, -np.pi / 2, np.pi}
    assert error(U, p) <= rounding(n)
    V = np.diag(np.array(signs) * 1j)[order]
    q = givens.decompose(V)
    assert set(q.angles.tolist()) <= {0.0, np.pi / 2}
    assert error(V, q) <= rounding(n)


@FIELDS
@pytest.mark.parametrize("sizes", [(3, 4), (1, 1, 5), (4, 4), (2, 1, 2, 1), (7, 1)])
def test_block_diagonal_matrices_stay_so(sizes: tuple[int, ...], dtype: str) -> None:
    n = sum(sizes)
    U = np.zeros((n, n), dtype)
    start = 0
    between = []  # the planes that hold two blocks
    for size in sizes:
        block = slice(start, start + size)
        # A block has determinant 1, or else a sign must be carried from block to block.
        U[block, block] = orthogonal(np.random.default_rng(size), size, size, dtype=dtype)
        U[start, block] /= np.linalg.det(U[block, block])
        start += size
        between.append(start - 1)
    p = givens.decompose(U)
    crossing = np.isin(p.schedule.pairs[:, 0], between[:-1])
    assert crossing.any()
    assert error(U, p) <= rounding(n)
    swaps = np.abs(np.sin(p.angles[crossing]))
    # A rotation of two blocks is none, or it exchanges two coordinates.
    assert np.all(np.minimum(swaps, np.abs(1 - swaps)) <= rounding(n))


@EACH_DTYPE
def test_any_strides(dtype: str) -> None:
    U = orthogonal(np.random.default_rng(3), 2, 3, 6, 6, dtype=dtype)
    expected = givens.decompose(U)
    wide = np.zeros((3, 6, 2, 12), dtype)
    view = wide[:, :, ::-1, ::2].transpose(2, 0, 3, 1)
    view[:] = U
    record = np.zeros(U.shape, [("byte", "u1"), ("U", dtype)])
    record["U"] = U
    for same in [view, np.asfortranarray(U), record["U"]]:
        found = givens.decompose(same)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    repeated = givens.decompose(np.broadcast_to(U[:, :1], U.shape))
    np.testing.assert_array_equal(repeated.angles, expected.angles[:, :1].repeat(3, axis=1))


@EACH_DTYPE
@pytest.mark.parametrize("shape", [(0, 0), (3, 0, 0), (0, 4, 4), (2, 0, 1, 1), (1, 1)])
def test_nothing_to_do(shape: tuple[int, ...], dtype: str) -> None:
    p = givens.decompose(np.ones(shape, dtype))
    n = shape[-1]
    assert p.angles.shape == (*shape[:-2], n * (n - 1) // 2)
    assert matrix(p).shape == shape
    assert np.all(matrix(p) == 1)


@EACH_DTYPE
def test_products_of_every_schedule_are_accepted(dtype: str) -> None:
    # The tolerance is above the rounding of `matrix`, here after the most rounds.
    rng = np.random.default_rng(8)
    real = np.finfo(dtype).dtype
    for make in [Schedule.xor, Schedule.circle, Schedule.brickwall, Schedule.butterfly]:
        s = make(65)
        angles = rng.uniform(-7, 7, s.num_rotations).astype(real)
        options = {}
        if dtype.startswith("complex"):
            options["phases"] = rng.uniform(-7, 7, s.num_rotations).astype(real)
        U = givens.matrix(angles, s, **options)
        assert error(U, givens.decompose(U)) <= 2 * rounding(65, dtype)


# --- Refusals ------------------------------------------------------------------------------------


NO_ARRAY = "U must be a NumPy array or one with __dlpack__, got"
DTYPES = "U must be float32, float64, complex64 or complex128, got"
ORTHOGONAL = "U must be orthogonal, with max|U^T U - I| at most"
TWO = np.stack([np.eye(2), np.ones((2, 2))])[:, None].astype("float32")


@pytest.mark.parametrize(
    ("message", "U"),
    [
        (f"{NO_ARRAY} list: np.asarray(U, dtype=...) makes one", np.eye(3).tolist()),
        (f"{NO_ARRAY} NoneType", None),
        *(
            (f"{DTYPES} {np.dtype(dtype)}", np.eye(3).astype(dtype))
            for dtype in ["int64", "bool", "float16", "longdouble", ">f8"]
        ),
        *(
            (f"U must have shape (..., n, m) with m <= n, got shape {shape}", np.ones(shape))
            for shape in [(), (4,), (2, 3), (2, 2, 3), (0, 1)]
        ),
        ("U must be finite, got nan at U[0, 0]", np.full((2, 2), np.nan)),
        ("U must be finite, got -inf at U[1, 1]", np.diag([1, -np.inf])),
        (f"{ORTHOGONAL} 2.84e-14, got 3", np.diag([1, 1, 2.0])),
        ("U must be unitary, with max|U^H U - I| at most 2.84e-14, got 3", np.diag([1, 1j, 2])),
        (f"{ORTHOGONAL} 1.14e-05, got 2 for U[1, 0]", TWO),
        (f"{ORTHOGONAL} 2.13e-14, got inf", np.array([[1e200, -1e200], [1e200, 1e200]])),
    ],
)
def test_refusals(message: str, U) -> None:
    wrong_type = message.startswith((NO_ARRAY, DTYPES))
    with pytest.raises(TypeError if wrong_type else ValueError, match=exactly(message)):
        givens.decompose(U)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        (
            "U must be square for the schedule brickwall, got shape (3, 2)",
            {"schedule": "brickwall"},
        ),
        ("schedule must be brickwall or wavefront, got xor", {"schedule": "xor"}),
        ('schedule must be "brickwall" or "wavefront", got \'mesh\'', {"schedule": "mesh"}),
        ("tolerance must be at least 0, got -1", {"tolerance": -1}),
        ("tolerance must be at least 0, got nan", {"tolerance": np.nan}),
        ("U must have orthonormal columns, with max|U^T U - I| at most 0, got 3", {"tolerance": 0}),
    ],
)
def test_options_that_are_refused(message: str, options: dict) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        givens.decompose(np.diag([1, 2, 1.0])[:, :2], **options)


@FIELDS
def test_tolerance_grows_with_the_size(dtype: str) -> None:
    for n in [1, 2, 17, 100]:
        tolerance = 32 * (n + 1) * np.finfo(float).eps
        U = np.eye(n, dtype=dtype)
        # (1 + x)^2 - 1 = 2 x (1 + x/2).
        U[n // 2, n // 2] = 1 + 0.49 * tolerance
        givens.decompose(U)
        U[n // 2, n // 2] = 1 + 0.51 * tolerance
        with pytest.raises(ValueError, match="at most"):
            givens.decompose(U)
