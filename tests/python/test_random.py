"""Random rotations: that they are rotations, the same everywhere, and mix as uniform ones do."""

import hashlib
import math
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc

import givens
from cases import exactly

EPS = np.finfo(float).eps


@given(n=st.integers(0, 140), seed=st.integers(0, 2**64 - 1), passes=st.integers(0, 4))
def test_it_is_a_rotation(n: int, seed: int, passes: int) -> None:
    rounds = passes * givens.Schedule.butterfly(n).num_rounds
    R = givens.random_rotation(n, seed, rounds)
    assert R.schedule == givens.Schedule.butterfly(n, passes)
    assert R.angles.shape == (R.schedule.num_rotations,)
    assert np.all(np.abs(R.angles) <= np.pi)
    # A round changes an entry by a few roundings of numbers of at most 1.
    tolerance = 8 * (1 + R.schedule.num_rounds) * EPS
    U = R.matrix()
    np.testing.assert_allclose(U.T @ U, np.eye(n), rtol=0, atol=tolerance)
    x = np.linspace(-1, 1, 3 * n).reshape(3, n)
    there = R.rotate(x)
    np.testing.assert_allclose(there, x @ U.T, rtol=0, atol=n * tolerance)
    np.testing.assert_allclose(R.rotate(there, inverse=True), x, rtol=0, atol=n * tolerance)
    if n:
        assert np.linalg.det(U) == pytest.approx(1)


@pytest.mark.parametrize("n", [2, 5, 64, 100])
def test_fewer_rounds_are_the_first_rounds(n: int) -> None:
    R = givens.random_rotation(n, 3)
    for rounds in range(R.schedule.num_rounds + 1):
        few = givens.random_rotation(n, 3, rounds)
        assert few.schedule.num_rounds == rounds
        K = few.schedule.num_rotations
        assert (few.angles == R.angles[:K]).all()
        assert (few.schedule.pairs == R.schedule.pairs[:K]).all()


@pytest.mark.parametrize(("n", "passes"), [(0, 3), (1, 3), (2, 3), (3, 4), (64, 3), (65, 4)])
def test_default_number_of_passes(n: int, passes: int) -> None:
    assert givens.random_rotation(n, 0).schedule == givens.Schedule.butterfly(n, passes)


def philox(seed: int, n: int):
    """Yield the words of Philox 4x64-10 (Salmon et al., SC'11), as its definition says."""
    mask = 2**64 - 1
    counter = 0
    while True:
        counter += 1
        c = [counter & mask, counter >> 64, 0, 0]
        key = [seed, n]
        for _ in range(10):
            high0, low0 = divmod(c[0] * 0xD2E7470EE14C6C93, 2**64)
            high1, low1 = divmod(c[2] * 0xCA5A826395121157, 2**64)
            c = [high1 ^ c[1] ^ key[0], low1, high0 ^ c[3] ^ key[1], low0]
            key = [(key[0] + 0x9E3779B97F4A7C15) & mask, (key[1] + 0xBB67AE8584CAA73B) & mask]
        yield from c


@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
def test_angles_from_the_definition(seed: int) -> None:
    # All windows of n = 2 are the whole circle.
    width = math.sqrt(3 / (48 / (math.pi * math.pi)))
    expected = []
    for word in islice(philox(seed, 2), 9):
        angle = math.pi / 4 + width * ((word >> 11) * 2.0**-52 - 1) - math.pi * (word & 1)
        expected.append(-angle if word & 2 else angle)
    assert givens.random_rotation(2, seed, rounds=9).angles.tolist() == expected


@pytest.mark.parametrize(
    ("n", "seed", "digest"),
    [
        (100, 7, "d2dc0953efdcc6eb"),
        (231, 2**64 - 1, "a27cab393525b05f"),
        (1024, 0, "45e2bf317c7a4d57"),
    ],
)
def test_the_same_bits_everywhere(n: int, seed: int, digest: str) -> None:
    angles = givens.random_rotation(n, seed).angles
    assert hashlib.sha256(angles.astype("<f8").tobytes()).hexdigest()[:16] == digest
    single = givens.random_rotation(n, seed, dtype=np.float32).angles
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, angles.astype(np.float32))


def test_seeds_and_sizes_differ() -> None:
    firsts = {givens.random_rotation(n, seed).angles[0] for n in (8, 9) for seed in range(50)}
    assert len(firsts) == 100


# --- As a uniformly distributed rotation ---------------------------------------------------------

# Each size, and the number of seeds: sizes around powers of two have coordinates that meet few
# others.
SEEDS = {2: 10000, 3: 10000, 5: 10000, 17: 10000, 64: 10000, 80: 10000, 129: 5000, 231: 4000}
SEEDS |= {768: 2000}

# The inequality of Dvoretzky, Kiefer, Wolfowitz and Massart: sqrt(N) times the statistic of
# Kolmogorov and Smirnov exceeds c with a probability below 2 exp(-2 c^2). All statistics together,
# seven vectors and seven directions for each size, exceed it with one below 1e-6.
LIMIT = math.sqrt(math.log(2 * 49 * len(SEEDS) / 1e-6) / 2)


def hardest(n: int) -> np.ndarray:
    """Return unit vectors that mix slowly, (7, n): few nonzeros, and constants."""
    e = np.eye(n)
    ones = np.ones(n)
    signs = (-1.0) ** np.arange(n)
    vectors = [e[0], e[n // 2], e[n - 1], ones, signs, e[0] + e[1], e[0] - e[n - 1]]
    return np.stack([v / np.linalg.norm(v) for v in vectors])


def rotated(n: int, seeds: int, rounds: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rotate the hardest vectors by the rotation of each seed.

    Returns the components of the results in the hardest directions, (direction, vector, seed), and
    the sums of their fourth powers, (seed, vector).
    """
    components, fourth = [], []
    for first in range(0, seeds, 500):
        drawn = [givens.random_rotation(n, seed, rounds) for seed in range(first, first + 500)]
        angles = np.stack([R.angles for R in drawn])
        y = givens.rotate(hardest(n)[None], angles, drawn[0].schedule)
        components.append(np.einsum("dn,svn->dvs", hardest(n), y))
        fourth.append((y**4).sum(-1))
    return np.concatenate(components, -1), np.concatenate(fourth)


def statistics(n: int, components: np.ndarray) -> np.ndarray:
    """Compare components of rotated vectors with components of uniform unit vectors.

    Returns sqrt(N) times the statistic of Kolmogorov and Smirnov for each direction and vector.
    """
    N = components.shape[-1]
    ordered = np.sort(components, axis=-1)
    # The square of a component has the distribution Beta(1/2, (n - 1)/2).
    squares = np.minimum(ordered**2, 1)
    expected = 0.5 + 0.5 * np.sign(ordered) * betainc(0.5, (n - 1) / 2, squares)
    steps = np.arange(N + 1) / N
    above = (steps[1:] - expected).max(-1)
    below = (expected - steps[:-1]).max(-1)
    return np.sqrt(N) * np.maximum(above, below)


@pytest.mark.parametrize("n", SEEDS)
def test_components_are_those_of_uniform_unit_vectors(n: int) -> None:
    components, fourth = rotated(n, SEEDS[n])
    assert statistics(n, components).max() < LIMIT
    # How even the entries are: the mean of sum y^4 is 3 / (n + 2). The mean of N numbers is off by
    # six standard errors with a probability of 2e-9.
    error = np.abs(fourth.mean(0) - 3 / (n + 2))
    assert np.all(error <= 6 * fourth.std(0) / math.sqrt(SEEDS[n]))


def test_a_single_pass_is_told_apart() -> None:
    assert statistics(80, rotated(80, 2000, rounds=7)[0]).max() > 2 * LIMIT


# --- Arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (ValueError, "n must be at least 0, got -1", (-1, 0)),
        (TypeError, "n must be an integer, got float", (4.0, 0)),
        (ValueError, "seed must be between 0 and 2**64 - 1, got -1", (4, -1)),
        (ValueError, f"seed must be between 0 and 2**64 - 1, got {2**64}", (4, 2**64)),
        (TypeError, "seed must be an integer, got NoneType", (4, None)),
        (TypeError, "seed must be an integer, got float", (4, 1.0)),
        (ValueError, "rounds must be at least 0, got -1", (4, 0, -1)),
        (TypeError, "rounds must be an integer, got float", (4, 0, 2.0)),
        (TypeError, "dtype must be float32 or float64, got complex64", (4, 0, 2, np.complex64)),
        (TypeError, "dtype must be float32 or float64, got float16", (4, 0, 2, np.float16)),
    ],
)
def test_wrong_arguments(error, message: str, arguments: tuple) -> None:
    with pytest.raises(error, match=exactly(message)):
        givens.random_rotation(*arguments)
