"""Arrays on a GPU: the results of the CPU, graphs and streams.

These tests run where there are a device, a package built with CUDA, and CuPy; elsewhere they are
skipped: ``pytest -m gpu -rs`` says why.
"""

import numpy as np
import pytest

import givens
import givens.cuda
from givens import Schedule
from oracles import present

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def cp():
    reason = givens.cuda.unavailable_reason()
    if reason is not None:
        pytest.skip(f"no GPU: {reason}")
    return pytest.importorskip("cupy")


SCHEDULES = [
    *(Schedule.xor(n) for n in (1, 2, 3, 31, 32, 33, 64, 100, 127, 129, 257, 1000)),
    Schedule.circle(100),
    Schedule.circle(129, columns=40),
    Schedule.team(100, 8),
    Schedule.team(33, 5),
    Schedule.brickwall(65),
    Schedule.butterfly(200),
]


def parameters(schedule: Schedule, dtype: type, rng: np.random.Generator) -> dict:
    """Draw angles, and phases and a diagonal if dtype is complex."""
    real = np.zeros(0, dtype).real.dtype
    out = {"angles": rng.uniform(-np.pi, np.pi, schedule.num_rotations).astype(real)}
    if np.issubdtype(dtype, np.complexfloating):
        out["phases"] = rng.uniform(-np.pi, np.pi, schedule.num_rotations).astype(real)
        out["diagonal"] = rng.uniform(-np.pi, np.pi, schedule.n).astype(real)
    return out


def numbers(shape: tuple, dtype: type, rng: np.random.Generator) -> np.ndarray:
    x = rng.standard_normal(shape)
    if np.issubdtype(dtype, np.complexfloating):
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def assert_close(cp, got, expected: np.ndarray, schedule: Schedule) -> None:
    """Compare results that went through all rounds, each with at most 16 roundings of this norm."""
    eps = np.finfo(expected.dtype).eps
    scale = np.abs(expected).max(initial=0) * np.sqrt(max(schedule.n, 1)) + 1
    atol = 32 * eps * (schedule.num_rounds + 3) * scale
    np.testing.assert_allclose(cp.asnumpy(got), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_as_on_the_cpu(cp, schedule: Schedule, dtype: type) -> None:
    rng = np.random.default_rng(schedule.n)
    p = parameters(schedule, dtype, rng)
    gpu = {name: cp.asarray(value) for name, value in p.items()}
    for vectors, axis, inverse in [(0, -1, False), (1, -1, True), (33, -2, False), (300, -1, True)]:
        shape = (vectors, schedule.n) if axis == -1 else (schedule.n, vectors)
        x, gy = numbers(shape, dtype, rng), numbers(shape, dtype, rng)
        options = {"schedule": schedule, "axis": axis, "inverse": inverse}
        y = givens.rotate(x, **p, **options)
        assert_close(cp, givens.rotate(cp.asarray(x), **gpu, **options), y, schedule)
        expected = givens.rotate_vjp(y, gy, **p, **options)
        got = givens.rotate_vjp(cp.asarray(y), cp.asarray(gy), **gpu, **options)
        for a, b in zip(present(got), present(expected), strict=True):
            assert_close(cp, a, b, schedule)
    U = givens.matrix(schedule=schedule, **p)
    assert_close(cp, givens.matrix(schedule=schedule, **gpu), U, schedule)


def test_the_same_bits_in_every_run(cp) -> None:
    schedule = Schedule.xor(512)
    rng = np.random.default_rng(0)
    angles = cp.asarray(rng.uniform(-3, 3, schedule.num_rotations).astype(np.float32))
    gU = cp.asarray(numbers((512, 512), np.float32, rng))
    U = givens.matrix(angles, schedule)
    first = givens.matrix_vjp(U, gU, angles, schedule).angles
    for _ in range(20):
        assert (givens.matrix_vjp(U, gU, angles, schedule).angles == first).all()


def test_two_streams(cp) -> None:
    schedule = Schedule.xor(256)
    rng = np.random.default_rng(1)
    angles = [rng.uniform(-3, 3, schedule.num_rotations).astype(np.float32) for _ in range(2)]
    x = numbers((300, 256), np.float32, rng)
    streams = [cp.cuda.Stream(non_blocking=True) for _ in angles]
    results = []
    for stream, t in zip(streams, angles, strict=True):
        with stream:
            results.append(givens.rotate(cp.asarray(x), cp.asarray(t), schedule))
    for stream, t, y in zip(streams, angles, results, strict=True):
        stream.synchronize()
        assert_close(cp, y, givens.rotate(x, t, schedule), schedule)


def test_graph(cp) -> None:
    schedule = Schedule.xor(128)
    givens.cuda.prepare(schedule, cp.cuda.Device().id)
    rng = np.random.default_rng(2)
    t = rng.uniform(-3, 3, schedule.num_rotations).astype(np.float32)
    x = numbers((64, 128), np.float32, rng)
    angles, vectors, out = cp.asarray(t), cp.asarray(x), cp.zeros((64, 128), np.float32)
    stream = cp.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        givens.rotate(vectors, angles, schedule, out=out)
        graph = stream.end_capture()
        assert not out.any()
        graph.launch()
        stream.synchronize()
    assert_close(cp, out, givens.rotate(x, t, schedule), schedule)
