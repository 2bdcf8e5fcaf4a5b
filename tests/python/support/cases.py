"""The schedules, parameters and arrays that several tests go through."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pytest

import givens
from givens import Schedule
from oracles import Options

# From the smallest through odd, prime and power-of-two sizes and the neighbours of powers of two.
SMALL_SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17]
LARGE_SIZES = [31, 32, 33, 63, 64, 65, 127, 128, 129]


def each(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Callable], Callable]:
    """Run all cases in one test: as ``pytest.mark.parametrize``, which takes longer than they do.

    A failure says which case it was.
    """
    cases = [c if isinstance(names, tuple) else (c,) for c in cases]
    names = names if isinstance(names, tuple) else (names,)

    def decorate(test: Callable) -> Callable:
        @functools.wraps(test)
        def run(**given: Any) -> None:
            for case in cases:
                chosen = dict(zip(names, case, strict=True))
                try:
                    test(**given, **chosen)
                except Exception as error:
                    error.add_note(f"with {chosen}")
                    raise

        own = inspect.signature(test)
        others = [p for name, p in own.parameters.items() if name not in names]
        run.__signature__ = own.replace(parameters=others)  # type: ignore[attr-defined]
        return run

    return decorate


def random_rounds(n: int) -> Schedule:
    """Make rounds of random pairs, some of which recur, with an empty round among them."""
    rng = np.random.default_rng(n)
    rounds = [
        rng.permutation(n)[: 2 * rng.integers(0, n // 2 + 1)].reshape(-1, 2)
        for _ in range(min(n, 12))
    ]
    rounds.insert(len(rounds) // 2, np.zeros((0, 2), int))
    return Schedule.from_rounds(n, rounds)


SCHEDULES: dict[str, Callable[[int], Schedule]] = {
    "circle": Schedule.circle,
    "xor": Schedule.xor,
    "team 2": lambda n: Schedule.team(n, 2),
    "team 3": lambda n: Schedule.team(n, 3),
    "team 8": lambda n: Schedule.team(n, 8),
    "brickwall": Schedule.brickwall,
    "butterfly": Schedule.butterfly,
    "butterfly, 3 passes": lambda n: Schedule.butterfly(n, passes=3),
    "wavefront": Schedule.wavefront,
    "random rounds": random_rounds,
    "circle, columns": lambda n: Schedule.circle(n, columns=n // 3),
    "xor, columns": lambda n: Schedule.xor(n, columns=n - n // 3),
    "wavefront, columns": lambda n: Schedule.wavefront(n, columns=n // 3),
    "team, columns": lambda n: Schedule.team(n, 4, columns=n // 2),
}

# Which parameters come with the angles.
OPTIONS: dict[str, tuple[str, ...]] = {
    "angles alone": (),
    "phases": ("phases",),
    "diagonal": ("diagonal",),
    "phases and diagonal": ("phases", "diagonal"),
    "signs": ("signs",),
    "phases and signs": ("phases", "signs"),
}

DTYPES = ["float32", "float64", "complex64", "complex128"]
EACH_DTYPE = pytest.mark.parametrize("dtype", DTYPES)

REAL_OPTIONS = [name for name, given in OPTIONS.items() if not {"phases", "diagonal"} & {*given}]


def random_angles(rng, schedule: Schedule, dtype=np.float64, batch=()) -> np.ndarray:
    """Draw angles over two turns."""
    return rng.uniform(-7, 7, (*batch, schedule.num_rotations)).astype(dtype)


def random_options(rng, kind: str, schedule: Schedule, dtype=np.float64, batch=()) -> Options:
    """Draw the parameters of one of OPTIONS."""
    options = {}
    for name in OPTIONS[kind]:
        extent = schedule.num_rotations if name == "phases" else schedule.n
        shape = (*batch, extent)
        values = rng.choice([-1, 1], shape) if name == "signs" else rng.uniform(-7, 7, shape)
        options[name] = values.astype(dtype)
    return options


def random_parameters(
    rng, kind: str, schedule: Schedule, dtype=np.float64, batches=((), ())
) -> tuple[np.ndarray, Options]:
    """Draw angles and the parameters of one of OPTIONS, with their batch shapes."""
    angles = random_angles(rng, schedule, dtype, batches[0])
    return angles, random_options(rng, kind, schedule, dtype, batches[1])


def makes_complex(options: Options) -> bool:
    """Whether U is complex."""
    return bool({"phases", "diagonal"} & options.keys())


def complex_of(dtype) -> np.dtype:
    """Return the complex dtype of the same precision."""
    return np.result_type(dtype, np.complex64)


def random_vectors(rng, shape, dtype) -> np.ndarray:
    """Draw normally distributed entries of a real or complex dtype."""
    x = rng.standard_normal(shape)
    if np.issubdtype(dtype, np.complexfloating):
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


@dataclass(frozen=True)
class Case:
    """A schedule, its parameters by their names, and two arrays of vectors."""

    schedule: Schedule
    parameters: Options
    x: np.ndarray  # the output y for a gradient
    gy: np.ndarray

    @property
    def given(self) -> dict[str, Any]:
        """Return the arguments that all functions have in common."""
        return {"schedule": self.schedule, **self.parameters}

    @classmethod
    def of(
        cls,
        schedule: Schedule,
        kind: str,
        shape: tuple[int, ...],
        *,
        dtype=np.float64,
        batches=((), ()),
        complex_vectors: bool = False,
    ) -> Self:
        """Draw parameters of a real dtype, with these batch axes, and vectors that go with them."""
        rng = np.random.default_rng(0)
        angles, options = random_parameters(rng, kind, schedule, dtype, batches)
        if complex_vectors or makes_complex(options):
            dtype = complex_of(dtype)
        x, gy = (random_vectors(rng, shape, dtype) for _ in range(2))
        return cls(schedule, {"angles": angles, **options}, x, gy)


# Views of an array with three axes.
VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "transposed": lambda x: x.swapaxes(0, 1),
    "every other": lambda x: x[::2],
    "backwards": lambda x: x[::-1, ::-1, ::-1],
    "from the middle": lambda x: x[1:, 2:],
    "repeated": lambda x: np.broadcast_to(x[:, :1], x.shape),
}


def results_of_every_function(of: Callable, kind: str, dtype: str) -> Iterator[tuple]:
    """Yield what a function returns for arrays that `of` makes of NumPy's, and for these."""
    schedule = Schedule.xor(8)
    c = Case.of(schedule, kind, (3, 5, 8), dtype=dtype, batches=((3,), ()))
    others = {name: of(values) for name, values in c.parameters.items()}

    def both(function: Callable, *arrays: np.ndarray) -> tuple:
        return (
            function(*map(of, arrays), schedule=schedule, **others),
            function(*arrays, **c.given),
        )

    U = givens.matrix(**c.given)
    yield both(givens.matrix)
    yield both(givens.rotate, c.x)
    yield both(givens.rotate_vjp, givens.rotate(c.x, **c.given), c.x)
    yield both(givens.matrix_vjp, U, U)


def exactly(message: str) -> str:
    """Return the regular expression of a whole message."""
    return f"^{re.escape(message)}$"
