"""`haar_log_density`: the density of the angles with which frames are uniformly distributed."""

import numpy as np
import pytest
from scipy import stats

import givens
from cases import exactly
from givens import Parameters, Schedule, haar_log_density, haar_log_density_gradient

SHAPES = [(1, 1), (2, 1), (2, 2), (3, 2), (4, 1), (4, 4), (7, 3), (9, 9)]
EACH_SHAPE = pytest.mark.parametrize(("n", "m"), SHAPES)
FIELDS = pytest.mark.parametrize("dtype", ["float64", "complex128"])


def uniform(schedule: Schedule, dtype: str, samples: int, seed: int = 0) -> Parameters:
    """Draw every parameter uniformly over a turn."""
    rng = np.random.default_rng(seed)
    turns = {"angles": schedule.num_rotations}
    if dtype.startswith("complex"):
        turns |= {"phases": schedule.num_rotations, "diagonal": schedule.n}
    return Parameters(
        schedule, **{k: rng.uniform(-np.pi, np.pi, (samples, size)) for k, size in turns.items()}
    )


@FIELDS
@pytest.mark.parametrize(("n", "m"), [(2, 1), (2, 2), (3, 1), (3, 3), (4, 2)])
def test_the_density_is_normalised(n: int, m: int, dtype: str) -> None:
    s = Schedule.wavefront(n, columns=m)
    p = uniform(s, dtype, 200_000)
    sizes = [a.shape[-1] for a in (p.angles, p.phases, p.diagonal) if a is not None]
    ratio = np.exp(haar_log_density(p) + np.log(2 * np.pi) * sum(sizes))
    # Five standard errors of the mean, or rounding where the density is constant.
    assert abs(ratio.mean() - 1) <= 5 * ratio.std() / np.sqrt(len(ratio)) + 1e-12


@FIELDS
@EACH_SHAPE
def test_it_is_the_density_of_drawn_angles(n: int, m: int, dtype: str) -> None:
    # The angles are independent: the density of each alone, integrated numerically, is compared
    # with what is drawn.
    s = Schedule.wavefront(n, columns=m)
    p = givens.initial_parameters(s, "haar", rng=3, batch=(2000,), dtype=dtype)
    grid = np.linspace(-np.pi, np.pi, 20_001)
    middles = (grid[1:] + grid[:-1]) / 2
    for k in range(s.num_rotations):
        angles = np.full((len(middles), s.num_rotations), 0.7)
        angles[:, k] = middles
        given = {
            name: np.zeros((len(middles), a.shape[-1]))
            for name, a in (("phases", p.phases), ("diagonal", p.diagonal))
            if a is not None
        }
        log_density = haar_log_density(Parameters(s, angles, **given))
        density = np.exp(log_density - log_density.max())
        cdf = np.concatenate([[0], np.cumsum(density)]) / density.sum()
        test = stats.kstest(p.angles[:, k], lambda t, cdf=cdf: np.interp(t, grid, cdf))
        assert test.pvalue >= 1e-3 / s.num_rotations / len(SHAPES)


@FIELDS
@pytest.mark.parametrize(("n", "m"), [(3, 3), (4, 2), (5, 1)])
def test_angles_of_scipys_matrices(n: int, m: int, dtype: str) -> None:
    # `decompose` returns angles from half of the range, the density is symmetric.
    group = stats.special_ortho_group if dtype == "float64" else stats.unitary_group
    U = group.rvs(n, size=2000, random_state=np.random.default_rng(n))
    p = givens.decompose(np.asarray(U, dtype)[:, :, :m], schedule="wavefront")
    drawn = givens.initial_parameters(p.schedule, "haar", rng=1, batch=(2000,), dtype=dtype)
    for k in range(p.schedule.num_rotations):
        a, b = np.abs(np.cos(p.angles[:, k])), np.abs(np.cos(drawn.angles[:, k]))
        assert stats.ks_2samp(a, b).pvalue >= 1e-4


def test_volume_of_small_spheres() -> None:
    # A rotation of space turns by at most w with probability (w - sin w) / pi.
    s = Schedule.wavefront(3)
    p = givens.initial_parameters(s, "haar", rng=5, batch=(100_000,))
    trace = np.trace(givens.matrix(p.angles, s), axis1=-2, axis2=-1)
    turns = np.arccos(np.clip((trace - 1) / 2, -1, 1))
    for w in (0.3, 0.6, 1.0):
        inside = int(np.sum(turns <= w))
        assert stats.binomtest(inside, len(turns), (w - np.sin(w)) / np.pi).pvalue >= 1e-3
    # So do weighted uniform angles: the density counts, not the way of drawing.
    q = uniform(s, "float64", 400_000, seed=2)
    weights = np.exp(haar_log_density(q)) * (2 * np.pi) ** s.num_rotations
    trace = np.trace(givens.matrix(q.angles, s), axis1=-2, axis2=-1)
    inside = weights * (np.arccos(np.clip((trace - 1) / 2, -1, 1)) <= 1.0)
    expected = (1.0 - np.sin(1.0)) / np.pi
    assert abs(inside.mean() - expected) <= 5 * inside.std() / np.sqrt(len(inside))


@FIELDS
@EACH_SHAPE
def test_gradient(n: int, m: int, dtype: str) -> None:
    p = uniform(Schedule.wavefront(n, columns=m), dtype, 3)
    gradient = haar_log_density_gradient(p)
    h = 1e-6
    for k in range(p.schedule.num_rotations):
        d = np.zeros(p.schedule.num_rotations)
        d[k] = h
        up, down = (haar_log_density(p._replace(angles=p.angles + step)) for step in (d, -d))
        # Differences are off by a third derivative times h^2, and by eps |log density| / h.
        slope = 1 + np.abs(gradient[:, k])
        np.testing.assert_array_less(
            np.abs((up - down) / (2 * h) - gradient[:, k]), 1e-7 * slope**3 + 1e-7
        )


def test_zero_density_and_zero_exponents() -> None:
    s = Schedule.wavefront(3, columns=1)
    k = 3 - 2 - s.pairs[:, 0]
    angles = np.where(k == 0, 0.0, 1.0)
    assert np.isfinite(haar_log_density(angles, s))
    assert np.isfinite(haar_log_density_gradient(angles, s)).all()
    with np.errstate(divide="ignore"):
        assert haar_log_density(np.where(k == 0, 1.0, 0.0), s) == -np.inf


@FIELDS
def test_torch(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    p = uniform(Schedule.wavefront(6, columns=3), dtype, 4)
    tensors = {
        name: torch.from_numpy(a).requires_grad_()
        for name, a in p._asdict().items()
        if isinstance(a, np.ndarray)
    }
    found = haar_log_density(Parameters(p.schedule, **tensors))
    np.testing.assert_allclose(found.detach().numpy(), haar_log_density(p), rtol=1e-13)
    found.sum().backward()
    np.testing.assert_allclose(
        tensors["angles"].grad.numpy(), haar_log_density_gradient(p), rtol=1e-12
    )


@FIELDS
def test_jax(dtype: str) -> None:
    jax = pytest.importorskip("jax")
    p = uniform(Schedule.wavefront(6, columns=3), dtype, 4)
    with jax.enable_x64(True):
        rest = p._replace(schedule=p.schedule)
        value = jax.jit(lambda angles: haar_log_density(rest._replace(angles=angles)).sum())
        np.testing.assert_allclose(value(p.angles), haar_log_density(p).sum(), rtol=1e-13)
        np.testing.assert_allclose(
            jax.grad(value)(p.angles), haar_log_density_gradient(p), rtol=1e-12
        )


@pytest.mark.parametrize(
    ("message", "parameters", "schedule"),
    [
        ("schedule must be given with an array of angles, got None", np.zeros(3), None),
        ("schedule must be a givens.Schedule, got int", np.zeros(3), 3),
        (
            "schedule must have the rotations of Schedule.wavefront, as the density is not known "
            "for others, got Schedule.xor(3)",
            np.zeros(3),
            Schedule.xor(3),
        ),
        (
            "angles must have 3 entries along the last axis, got shape (2, 4)",
            np.zeros((2, 4)),
            Schedule.wavefront(3),
        ),
        (
            "schedule must equal the schedule of the parameters, Schedule.wavefront(3), got "
            "Schedule.wavefront(4)",
            Parameters(Schedule.wavefront(3), np.zeros(3)),
            Schedule.wavefront(4),
        ),
    ],
)
def test_refusals(message: str, parameters, schedule) -> None:
    wrong_type = message.startswith("schedule must be a givens.Schedule")
    with pytest.raises(TypeError if wrong_type else ValueError, match=exactly(message)):
        haar_log_density(parameters, schedule)
