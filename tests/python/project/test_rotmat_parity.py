"""The matrices of the paper's authors' layers, RotMat and RotMatOpt, from the same angles.

Their layers are written out here from formulas, plane by plane and without a schedule: N x N
matrices, of which the first M columns are parametrized, and one vector of angles in the triangular
order. `test_schedule.py` has the rounds, and `test_matrix_and_rotate.py` the order of the circle's
steps.
"""

import numpy as np
import pytest

import givens
from givens import Schedule
from oracles import assert_vectors_close, rounding

SHAPES = [
    (1, 1),
    (2, 1),
    (2, 2),
    (3, 1),
    (3, 3),
    (5, 2),
    (6, 6),
    (7, 4),
    (8, 1),
    (8, 7),
    (8, 8),
    (12, 5),
    (16, 16),
    (17, 9),
]
EACH_SHAPE = pytest.mark.parametrize(("N", "M"), SHAPES)


def theta_count(N: int, M: int) -> int:
    K = N - M
    return N * (N - 1) // 2 - (K * (K - 1) // 2 if K > 1 else 0)


def opponents(players: int, step: int) -> list[tuple[int, int]]:
    """Return the matches of a circle of an even number of players. Player 0 stays in place."""
    n = players - 1
    matches = [(0, 1 + (n - 1 + step) % n)]
    matches += [
        (1 + (b - 1 + step) % n, 1 + (n - b - 1 + step) % n) for b in range(1, players // 2)
    ]
    return [(min(match), max(match)) for match in matches]


class RotMat:
    """Rotate rows of X in pairs, in the order of the authors' kernels."""

    def __init__(self, N: int, M: int, thetas: np.ndarray):
        self.N, self.M, self.thetas = N, M, thetas

    def turn(self, X: np.ndarray, i: int, j: int) -> None:
        # Out of range: a bye, or both columns not parametrized.
        if j >= self.N or i >= self.M:
            return
        theta = self.thetas[i * self.N - (i + 2) * (i + 1) // 2 + j]
        c, s = np.cos(theta), np.sin(theta)
        X[i], X[j] = X[i] * c - X[j] * s, X[i] * s + X[j] * c

    def circle(self, X: np.ndarray) -> np.ndarray:
        X = X.copy()
        players = self.N + self.N % 2
        for step in range(players - 2, -1, -1):
            for i, j in opponents(players, step):
                self.turn(X, i, j)
        return X

    def team(self, X: np.ndarray, size: int) -> np.ndarray:
        """Teams of an even number of players; the last one may be smaller than `size`."""
        X = X.copy()
        players = self.N + self.N % 2
        teams = -(-players // size)
        for step in range(size - 1):
            for first in range(0, players, size):
                of_team = min(size, players - first)
                if step >= of_team - 1:
                    continue
                for i, j in opponents(of_team, step):
                    self.turn(X, first + i, first + j)
        sides = teams + teams % 2
        for step in range(sides - 2, -1, -1):
            for home, visitor in opponents(sides, step):
                for m in range(size):
                    for k in range(size):
                        self.turn(X, home * size + k, visitor * size + (k + m) % size)
        return X


def assert_same_layer(schedule: Schedule, N: int, M: int, layer) -> None:
    """Compare U, its application, and the order of the angles."""
    rng = np.random.default_rng(N)
    thetas = rng.uniform(-4, 4, theta_count(N, M))
    assert schedule.num_rotations == len(thetas)
    angles = schedule.from_triangular(thetas)
    size = 2 * rounding(schedule, np.float64)  # both sides round

    U = layer(RotMat(N, M, thetas), np.eye(N))
    assert_vectors_close(givens.matrix(angles, schedule), U[:, :M], size, axis=0)
    X = rng.standard_normal((N, 4))
    expected = layer(RotMat(N, M, thetas), X)
    Y = givens.rotate(X, angles, schedule, axis=-2)
    assert_vectors_close(Y, expected, size * np.linalg.norm(X, axis=0), axis=0)

    # The gradient of sum(gY * Y), in the order of thetas, against central differences.
    gY = rng.standard_normal(Y.shape)
    gangles = givens.rotate_vjp(Y, gY, angles, schedule, axis=-2).angles
    gthetas = schedule.to_triangular(gangles)
    h = 1e-5
    length = np.linalg.norm(X) * np.linalg.norm(gY)
    for k in range(0, len(thetas), max(len(thetas) // 10, 1)):
        step = h * (np.arange(len(thetas)) == k)
        up, down = (layer(RotMat(N, M, thetas + sign * step), X) for sign in (1, -1))
        difference = np.sum(gY * (up - down)) / (2 * h)
        # Third derivatives are at most `length`; each Y rounds by `size`.
        assert abs(gthetas[k] - difference) <= (h**2 / 6 + size / h) * length


@EACH_SHAPE
def test_rotmat(N: int, M: int) -> None:
    assert_same_layer(Schedule.circle(N, columns=M), N, M, RotMat.circle)


@pytest.mark.parametrize("size", [2, 4, 6, 8, 12])
@EACH_SHAPE
def test_rotmat_in_teams(N: int, M: int, size: int) -> None:
    assert_same_layer(Schedule.team(N, size, columns=M), N, M, lambda r, X: r.team(X, size))
