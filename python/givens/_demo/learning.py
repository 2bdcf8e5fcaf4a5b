"""Learning the angles: a sparsity loss, its gradient through the rotations, and Adam."""

import math
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

import givens
from givens._demo.measures import mean_l1_norm
from givens._demo.patches import FloatArray

BATCH = 256
LEARNING_RATE = 0.02
SMOOTHING = 0.01
CURVE_INTERVAL = 10


@dataclass
class Curve:
    """How the learning went, for the picture.

    Attributes
    ----------
    batch_l1 : list of float
        Mean L1 norm of the coefficients of each step's mini-batch, before the step.
    held_out_steps, held_out_l1 : list of int, list of float
        Steps taken, and the mean L1 norm of the held-out coefficients after them.
    """

    batch_l1: list[float] = field(default_factory=list)
    held_out_steps: list[int] = field(default_factory=list)
    held_out_l1: list[float] = field(default_factory=list)

    def watch(self, steps: int, basis: FloatArray, held_out: FloatArray) -> None:
        """Record how sparse `basis`, (64, 64), makes the held-out patches, (num_patches, 64)."""
        self.held_out_steps.append(steps)
        self.held_out_l1.append(mean_l1_norm(basis, held_out))


class Adam:
    """The Adam optimiser (Kingma and Ba, 2015) of one array, with the usual constants."""

    def __init__(self, parameters: FloatArray) -> None:
        self._mean = np.zeros_like(parameters)
        self._square = np.zeros_like(parameters)
        self._count = 0

    def step(self, parameters: FloatArray, gradient: FloatArray, rate: float) -> None:
        """Move `parameters` in place against `gradient`, both of one shape and float32."""
        self._count += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.999 * self._square + 0.001 * gradient**2
        mean = self._mean / (1 - 0.9**self._count)
        square = self._square / (1 - 0.999**self._count)
        parameters -= rate * mean / (np.sqrt(square) + 1e-8)


def smooth_l1_gradient(y: FloatArray) -> FloatArray:
    """Return the gradient of the loss: the mean over the batch of the smoothed L1 norm.

    In the norm |y| is replaced by sqrt(y^2 + 0.01^2), whose gradient has no jump at zero.

    Parameters
    ----------
    y : ndarray, shape (batch, 64), float32
        Coefficients, one patch a row.

    Returns
    -------
    ndarray, shape (batch, 64), float32
        Gradient of the loss with respect to `y`.
    """
    gradient: FloatArray = y / (np.sqrt(y**2 + SMOOTHING**2) * len(y))
    return gradient


def learn(
    train: FloatArray, held_out: FloatArray, schedule: givens.Schedule, *, steps: int, seed: int
) -> tuple[FloatArray, Curve]:
    """Learn an orthogonal transform with sparse coefficients.

    All angles start at zero: the transform starts as the identity and knows nothing of images.
    The held-out patches are only watched: nothing that is learned depends on them.

    Parameters
    ----------
    train, held_out : ndarray, shape (num_patches, 64), float32
        Patches to learn from, and patches to draw the curve of.
    schedule : givens.Schedule
        Order of the rotations, of 64 coordinates.
    steps : int
        Number of mini-batches.
    seed : int
        Seed of the draw of mini-batches.

    Returns
    -------
    basis : ndarray, shape (64, 64), float32
        The transform; its rows are the atoms.
    curve : Curve
    """
    random = np.random.default_rng(seed)
    angles = np.zeros(schedule.num_rotations, np.float32)
    optimiser = Adam(angles)
    curve = Curve()

    # disable=None draws no bar where standard error is not a terminal.
    for step in tqdm(range(steps), desc="learning", unit="step", disable=None):
        if step % CURVE_INTERVAL == 0:
            curve.watch(step, givens.matrix(angles, schedule), held_out)
        x = train[random.integers(len(train), size=BATCH)]
        y = givens.rotate(x, angles, schedule)
        # The gradient needs the output alone: rotating back restores the states in between.
        gradient = givens.rotate_vjp(y, smooth_l1_gradient(y), angles, schedule).angles
        cosine_decay = 0.5 * (1 + math.cos(math.pi * step / steps))
        optimiser.step(angles, gradient, LEARNING_RATE * cosine_decay)
        curve.batch_l1.append(float(np.abs(y).sum(axis=1).mean()))
    basis = givens.matrix(angles, schedule)
    curve.watch(steps, basis, held_out)
    return basis, curve
