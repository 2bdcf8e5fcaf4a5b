"""givens.Operator: the values of the functions, and what NumPy and SciPy ask of an operator."""

import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse.linalg as sla

import givens


def operator(n=8, *, dtype=np.float64, batch=(), schedule=None, seed=0):
    """Return an operator with all parameters that the dtype allows."""
    s = schedule or givens.Schedule.butterfly(n)
    rng = np.random.default_rng(seed)
    real = np.zeros(0, dtype).real.dtype

    def draw(size):
        return rng.uniform(-np.pi, np.pi, (*batch, size)).astype(real)

    if np.dtype(dtype).kind == "c":
        return givens.Operator(
            draw(s.num_rotations), s, phases=draw(s.num_rotations), diagonal=draw(s.n)
        )
    signs = rng.choice([-1.0, 1.0], (*batch, s.n)).astype(real)
    return givens.Operator(draw(s.num_rotations), s, signs=signs)


def parameters(U):
    names = ("angles", "phases", "signs", "diagonal")
    return {name: getattr(U, name) for name in names} | {"schedule": U.schedule}


def vectors(shape, dtype, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (3,), (2, 1), (0,)])
def test_the_same_bits_as_the_functions(dtype, batch):
    U = operator(20, dtype=dtype, batch=batch)
    x, g = vectors((*batch, 7, 20), dtype), vectors((*batch, 7, 20), dtype, 2)
    for inverse in (False, True):
        y = givens.rotate(x, inverse=inverse, **parameters(U))
        for _ in range(2):  # the second time with kept coefficients
            np.testing.assert_array_equal(U.rotate(x, inverse=inverse), y)
            for got, expected in zip(
                U.vjp(y, g, inverse=inverse),
                givens.rotate_vjp(y, g, inverse=inverse, **parameters(U)),
                strict=True,
            ):
                np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(U.H.rotate(x, inverse=not inverse), y)
    np.testing.assert_array_equal(U.matrix(), givens.matrix(**parameters(U)))
    assert U.shape == (*batch, 20, 20)
    assert U.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_are_those_of_the_matrix(dtype):
    U = operator(12, dtype=dtype)
    M = U.matrix()
    # Twelve entries of at most 1, each off by a few roundings for each of four rounds.
    tolerance = 100 * np.finfo(dtype).eps
    for V, A in ((U, M), (U.T, M.T), (U.H, M.conj().T), (U.conj(), M.conj()), (U.T.H, M.conj())):
        np.testing.assert_allclose(V.matrix(), A, atol=tolerance)
        for shape in ((12,), (12, 5), (12, 0), (3, 12, 5)):
            x = vectors(shape, dtype)
            np.testing.assert_allclose(V @ x, A @ x, atol=20 * tolerance)
        for shape in ((12,), (5, 12), (3, 5, 12)):
            x = vectors(shape, dtype)
            np.testing.assert_allclose(x @ V, x @ A, atol=20 * tolerance)


def test_products_of_a_batch_broadcast_as_matmul_does():
    U = operator(6, batch=(2, 3))
    M = U.matrix()
    for shape in ((6,), (6, 4), (3, 6, 4), (2, 3, 6, 4), (2, 1, 6, 4)):
        x = vectors(shape, np.float64)
        np.testing.assert_allclose(U @ x, M @ x, atol=1e-14)
    for shape in ((6,), (4, 6), (2, 3, 4, 6)):
        x = vectors(shape, np.float64)
        np.testing.assert_allclose(x @ U, x @ M, atol=1e-14)
    np.testing.assert_array_equal(U[1].matrix(), M[1])
    np.testing.assert_array_equal(U[1, 2].H.matrix(), M[1, 2].T)
    with pytest.raises(ValueError, match="x must have at most 4 axes"):
        U @ np.ones((5, 2, 3, 6, 4))
    with pytest.raises(TypeError, match="single matrix has no parts"):
        operator(6)[0]


def test_frames_are_operators_of_all_coordinates():
    s = givens.Schedule.wavefront(6, columns=2)
    U = operator(schedule=s)
    assert U.shape == (6, 6)
    np.testing.assert_allclose(U.matrix()[:, :2], givens.matrix(**parameters(U)), atol=1e-15)
    np.testing.assert_allclose(U.matrix() @ np.arange(6.0), U @ np.arange(6.0), atol=1e-14)


def test_scipy_takes_operators():
    U = operator(16)
    M = U.matrix()
    values = np.linspace(1.0, 5.0, 16)
    scale = sla.aslinearoperator(np.diag(values))
    A = sla.aslinearoperator(U) @ scale @ sla.aslinearoperator(U.H)
    x, info = sla.cg(A, np.arange(16.0), rtol=1e-12)
    assert info == 0
    np.testing.assert_allclose(A @ x, np.arange(16.0), atol=1e-9)
    np.testing.assert_allclose(sla.eigsh(A, k=3, which="LA")[0], values[-3:], atol=1e-9)
    np.testing.assert_allclose(sla.svds(U, k=3)[1], 1, atol=1e-9)
    np.testing.assert_allclose((U @ scale) @ np.eye(16), M @ np.diag(values), atol=1e-13)
    for got, expected in (
        (U.matvec(np.arange(16)), M @ np.arange(16)),
        (U.matvec(np.arange(16)[:, None]), (M @ np.arange(16))[:, None]),
        (U.rmatvec(np.arange(16)), M.T @ np.arange(16)),
        (U.matmat(np.eye(16, 3)), M[:, :3]),
        (U.rmatmat(np.eye(16, 3)), M.T[:, :3]),
        (U.matvec(1j * np.arange(16)), M @ (1j * np.arange(16))),
    ):
        np.testing.assert_allclose(got, expected, atol=1e-13)
    with pytest.raises(ValueError, match="operator of a single matrix"):
        operator(4, batch=(2,)).matvec(np.ones(4))


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_save_load_and_pickle_keep_all_bits(dtype, tmp_path):
    for U in (operator(9, dtype=dtype, batch=(2,)), operator(9, dtype=dtype).H):
        x = vectors((*U.shape[:-2], 4, 9), dtype)
        U.save(tmp_path / "operator.npz")
        file = io.BytesIO()
        U.save(file)
        file.seek(0)
        for V in (
            givens.Operator.load(tmp_path / "operator.npz"),
            givens.Operator.load(file),
            pickle.loads(pickle.dumps(U)),
        ):
            np.testing.assert_array_equal(V.rotate(x), U.rotate(x))
            assert repr(V) == repr(U)


def test_load_refuses_other_files(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.ones(3))
    with pytest.raises(ValueError, match=r"file must be one that Operator\.save wrote"):
        givens.Operator.load(tmp_path / "other.npz")
    np.savez(tmp_path / "later.npz", format=np.int64(99), schedule=np.array("{}"))
    with pytest.raises(ValueError, match="format 1, got 99"):
        givens.Operator.load(tmp_path / "later.npz")


def test_an_operator_never_changes():
    s = givens.Schedule.xor(4)
    angles = np.ones(6)
    U = givens.Operator(angles, s)
    before = U.matrix()
    angles[:] = 0
    np.testing.assert_array_equal(U.matrix(), before)
    with pytest.raises(ValueError, match="read-only"):
        U.angles[0] = 0
    with pytest.raises(AttributeError):
        U.schedule = s
    assert repr(U.H) == "<Operator: 4 x 4, float64, Schedule.xor(4), inverse>"


def test_threads_share_an_operator():
    U = operator(64, dtype=np.float32)
    x = vectors((10, 64), np.float32)
    expected = givens.rotate(x, **parameters(U))
    with ThreadPoolExecutor(4) as pool:
        for y in pool.map(lambda _: U.rotate(x), range(32)):
            np.testing.assert_array_equal(y, expected)


def test_vectors_of_16_bits():
    U = operator(32, dtype=np.float32)
    x = vectors((5, 32), np.float16)
    y = U.rotate(x)
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y, givens.rotate(x, **parameters(U)))


def test_arrays_of_other_libraries():
    torch = pytest.importorskip("torch")
    s = givens.Schedule.butterfly(8)
    angles = np.linspace(0, 1, s.num_rotations)
    U, V = givens.Operator(angles, s), givens.Operator(torch.from_numpy(angles), s)
    x = torch.arange(16.0, dtype=torch.float64).reshape(2, 8)
    expected = givens.rotate(x.numpy(), angles, s)
    for W in (U, V):
        assert isinstance(W.rotate(x), torch.Tensor)
        np.testing.assert_array_equal(W.rotate(x).numpy(), expected)
        np.testing.assert_array_equal((W @ x.T).numpy(), expected.T)
        np.testing.assert_allclose((x @ W.T).numpy(), expected, atol=1e-14)
    assert isinstance(V.matrix(), torch.Tensor)
    np.testing.assert_array_equal(V.matrix().numpy(), U.matrix())
    with pytest.raises(TypeError, match="angles must be a tensor that requires no gradient"):
        givens.Operator(torch.zeros(s.num_rotations, requires_grad=True), s)


def test_bad_arguments():
    s = givens.Schedule.xor(4)
    angles = np.zeros(6)
    U = givens.Operator(angles, s)
    for wrong, error, text in (
        (lambda: givens.Operator(angles, 4), TypeError, "schedule"),
        (lambda: givens.Operator([0.0] * 6, s), TypeError, "angles"),
        (lambda: givens.Operator(np.zeros(5), s), ValueError, "angles"),
        (lambda: givens.Operator(angles.astype(int), s), TypeError, "angles"),
        (lambda: givens.Operator(angles, s, signs=np.full(4, 2.0)), ValueError, "signs"),
        (lambda: givens.Operator(angles, s, phases=np.zeros(6, np.float32)), TypeError, "phases"),
        (lambda: U.rotate(np.zeros(5)), ValueError, "x"),
        (lambda: U.rotate(np.zeros(4, np.float32)), TypeError, "x"),
        (lambda: U.rotate(np.zeros(4), inverse=1), TypeError, "inverse"),
        (lambda: U.rotate(np.zeros(4), axis=1), ValueError, "axis"),
        (lambda: U.rotate(np.zeros(4), out=np.zeros(3)), ValueError, "out|y"),
        (lambda: U.vjp(np.zeros(4), np.zeros(3)), ValueError, "gy"),
        (lambda: U @ np.float64(3), ValueError, "at least one axis"),
        (lambda: U @ "text", TypeError, "unsupported operand"),
        (lambda: U @ np.zeros((3, 2)), ValueError, "x"),
    ):
        with pytest.raises(error, match=text):
            wrong()
