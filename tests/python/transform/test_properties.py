"""Any shapes, strides, dtypes, axes and batches, drawn by Hypothesis, against the dense oracle."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import givens
import oracles
from cases import (
    OPTIONS,
    SCHEDULES,
    complex_of,
    makes_complex,
    random_angles,
    random_options,
    random_vectors,
)
from oracles import (
    Options,
    assert_gradients_close,
    assert_vectors_close,
    batch_shape,
    gradient_rounding,
    present,
    rounding,
)

EXAMPLES = settings(max_examples=200)

# --- Arrays of any layout ------------------------------------------------------------------------


def gapped(shape, dtype) -> np.ndarray:
    """Return every other entry of a larger array, with NaN in between."""
    base = np.full([2 * extent for extent in shape], np.nan, dtype)
    return base[(slice(1, None, 2),) * len(shape)]


def unaligned(shape, dtype) -> np.ndarray:
    base = np.zeros(int(np.prod(shape)) * dtype.itemsize + 1, np.uint8)
    return base[1:].view(dtype).reshape(shape)


def packed_field(shape, dtype) -> np.ndarray:
    return np.zeros(shape, [("flag", np.uint8), ("value", dtype)])["value"]


def aligned_field(shape, dtype) -> np.ndarray:
    """Return a field beside a real one: a complex field has strides that are no multiple of it."""
    return np.zeros(shape, [("weight", dtype.type(0).real.dtype), ("value", dtype)])["value"]


def reversed_axes(shape, dtype) -> np.ndarray:
    return np.zeros(shape, dtype)[(slice(None, None, -1),) * len(shape)]


def fortran(shape, dtype) -> np.ndarray:
    return np.zeros(shape, dtype, order="F")


WRITABLE = {
    "contiguous": np.zeros,
    "fortran": fortran,
    "reversed": reversed_axes,
    "gapped": gapped,
}
LAYOUTS = {
    **WRITABLE,
    "unaligned": unaligned,
    "packed field": packed_field,
    "aligned field": aligned_field,
}


def laid_out(values: np.ndarray, layout: str) -> np.ndarray:
    """Return the values in the given layout; for "repeated" the first along one axis for all."""
    if layout == "repeated":
        axis = next((d for d, extent in enumerate(values.shape) if extent > 1), None)
        array = values if axis is None else np.broadcast_to(values.take([0], axis), values.shape)
    else:
        array = LAYOUTS[layout](values.shape, values.dtype)
        array[...] = values
    array.setflags(write=False)
    return array


def whole(array: np.ndarray) -> bytes:
    """Return all bytes of the array that this one is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.tobytes()


# --- Problems ------------------------------------------------------------------------------------

layouts = st.sampled_from([*LAYOUTS, "repeated"])
extents = st.sampled_from([0, 1, 1, 2, 2, 3, 5])


class Problem(NamedTuple):
    schedule: givens.Schedule
    angles: np.ndarray
    options: Options
    vectors: tuple[np.ndarray, ...]  # as many as asked for
    axis: int
    inverse: bool

    @property
    def parameters(self) -> Options:
        return {"angles": self.angles, **self.options}

    @property
    def how(self) -> dict[str, int | bool]:
        return {"axis": self.axis, "inverse": self.inverse}

    def memory(self) -> list[bytes]:
        return [whole(a) for a in (*self.parameters.values(), *self.vectors)]

    @property
    def rounding(self) -> float:
        """Bound the roundings of library and oracle, and the rounding of a result to 16 bits."""
        stored = [np.finfo(v.dtype).eps / 2 for v in self.vectors if v.dtype == np.float16]
        own = rounding(self.schedule, self.angles.dtype) + rounding(self.schedule, np.float64)
        return own + float(max(stored, default=0))

    def gradient_size(self, y, gy) -> float:
        bound = gradient_rounding(self.schedule, self.angles.dtype, y.size)
        bound += gradient_rounding(self.schedule, np.float64, y.size)
        return bound * np.linalg.norm(y.astype(complex)) * np.linalg.norm(gy.astype(complex))


@st.composite
def schedules(draw, smallest: int, largest: int) -> givens.Schedule:
    n = draw(st.integers(smallest, largest))
    return SCHEDULES[draw(st.sampled_from(sorted(SCHEDULES)))](n)


@st.composite
def part_of(draw, batch: tuple[int, ...]) -> tuple[int, ...]:
    """Draw a shape that broadcasts to the batch shape: without some first axes, some of size 1."""
    kept = batch[draw(st.integers(0, len(batch))) :]
    return tuple(draw(st.sampled_from([extent, 1])) for extent in kept)


@st.composite
def problems(draw, vectors: int = 1, full_batch: bool = False, largest: int = 20) -> Problem:
    """Draw parameters and arrays of vectors, whose batch axes are in full if that is asked for."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    schedule = draw(schedules(0, largest))
    real = np.dtype(draw(st.sampled_from([np.float32, np.float64])))
    batch = tuple(draw(st.lists(extents, max_size=2)))

    angles = random_angles(rng, schedule, real, draw(part_of(batch)))
    angles = laid_out(angles, draw(layouts))
    kind = draw(st.sampled_from(sorted(OPTIONS)))
    options = {
        name: laid_out(values, draw(layouts))
        for name, values in random_options(rng, kind, schedule, real, draw(part_of(batch))).items()
    }

    shape = [
        draw(st.sampled_from([extent] if full_batch else [extent, 1]))
        if extent != 1
        else draw(extents)
        for extent in batch_shape(angles, options)
    ]
    others = draw(st.lists(extents, max_size=2))
    place = draw(st.integers(0, len(others)))
    axis = len(shape) + place
    shape = (*shape, *others[:place], schedule.n, *others[place:])
    if draw(st.booleans()):
        axis -= len(shape)

    is_complex = makes_complex(options) or draw(st.booleans())
    dtype = complex_of(real) if is_complex else real
    if dtype == np.float32 and draw(st.booleans()):
        dtype = np.dtype(np.float16)
    arrays = tuple(
        laid_out(random_vectors(rng, shape, dtype), draw(layouts)) for _ in range(vectors)
    )
    return Problem(schedule, angles, options, arrays, axis, draw(st.booleans()))


def rotate(p: Problem, **keywords) -> np.ndarray:
    return givens.rotate(p.vectors[0], schedule=p.schedule, **p.parameters, **p.how, **keywords)


# --- Results -------------------------------------------------------------------------------------


@EXAMPLES
@given(problems())
def test_rotate(p: Problem) -> None:
    before = p.memory()
    y = rotate(p)
    assert p.memory() == before
    (x,) = p.vectors
    assert type(y) is np.ndarray
    assert y.dtype == x.dtype
    assert y.flags.writeable
    expected = oracles.rotated(x, schedule=p.schedule, **p.parameters, **p.how)
    size = p.rounding * np.linalg.norm(x, axis=p.axis)
    assert_vectors_close(y, expected, size, axis=p.axis)
    assert rotate(p).tobytes() == y.tobytes()


@EXAMPLES
@given(problems())
def test_matrix(p: Problem) -> None:
    before = p.memory()
    U = givens.matrix(schedule=p.schedule, **p.parameters)
    assert p.memory() == before
    real = p.angles.dtype
    assert U.dtype == (complex_of(real) if makes_complex(p.options) else real)
    expected = oracles.products(p.schedule, **p.parameters)[..., : p.schedule.columns]
    assert_vectors_close(U, expected, p.rounding, axis=-2)
    assert givens.matrix(schedule=p.schedule, **p.parameters).tobytes() == U.tobytes()


@EXAMPLES
@given(problems(vectors=2, full_batch=True, largest=12))
def test_rotate_vjp(p: Problem) -> None:
    before = p.memory()
    y, gy = p.vectors
    gx, *gradients = givens.rotate_vjp(y, gy, schedule=p.schedule, **p.parameters, **p.how)
    assert p.memory() == before
    assert gx.dtype == y.dtype
    assert all(g.dtype == p.angles.dtype for g in present(gradients))
    expected_gx, *expected = oracles.rotate_vjp(y, gy, schedule=p.schedule, **p.parameters, **p.how)
    assert_vectors_close(gx, expected_gx, p.rounding * np.linalg.norm(gy, axis=p.axis), axis=p.axis)
    assert_gradients_close(gradients, expected, p.gradient_size(y, gy))
    again = givens.rotate_vjp(y, gy, schedule=p.schedule, **p.parameters, **p.how)
    assert [g.tobytes() for g in present(again)] == [g.tobytes() for g in (gx, *present(gradients))]


@EXAMPLES
# U is the matrix of its parameters, which a repeated array is not.
@given(problems(largest=12), st.sampled_from([*LAYOUTS]), layouts, st.integers(0, 2**32 - 1))
def test_matrix_vjp(p: Problem, U_layout: str, gU_layout: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    like = givens.matrix(schedule=p.schedule, **p.parameters)
    U = laid_out(like, U_layout)
    gU = laid_out(random_vectors(rng, like.shape, like.dtype), gU_layout)
    before = [*p.memory(), whole(U), whole(gU)]
    gradients = givens.matrix_vjp(U, gU, schedule=p.schedule, **p.parameters)
    assert [*p.memory(), whole(U), whole(gU)] == before
    assert all(g.dtype == p.angles.dtype for g in present(gradients))
    expected = oracles.rotate_vjp(U, gU, schedule=p.schedule, **p.parameters, axis=-2)[1:]
    assert_gradients_close(gradients, expected, p.gradient_size(U, gU))


# --- out -----------------------------------------------------------------------------------------


@EXAMPLES
@given(problems(), st.sampled_from(sorted(WRITABLE)))
def test_out_of_any_layout(p: Problem, layout: str) -> None:
    expected = rotate(p)
    out = WRITABLE[layout](expected.shape, expected.dtype)
    before = p.memory()
    assert rotate(p, out=out) is out
    assert p.memory() == before
    assert out.tobytes() == expected.tobytes()
    if layout == "gapped":
        # What lies between the entries is left alone.
        assert np.isnan(out.base).sum() == out.base.size - out.size


@EXAMPLES
@given(problems(full_batch=True), st.sampled_from(sorted(WRITABLE)))
def test_out_may_be_x(p: Problem, layout: str) -> None:
    (values,) = p.vectors
    expected = rotate(p)
    # x may have batch axes that the parameters have not, but none is repeated.
    assert expected.shape == values.shape
    x = WRITABLE[layout](values.shape, values.dtype)
    x[...] = values
    parameters = {name: whole(a) for name, a in p.parameters.items()}
    assert rotate(p._replace(vectors=(x,)), out=x) is x
    assert {name: whole(a) for name, a in p.parameters.items()} == parameters
    assert x.tobytes() == expected.tobytes()


@st.composite
def windows(draw, base: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Draw a part of `base` of the given shape: forwards or backwards, rows or columns first."""
    size = int(np.prod(shape))
    start = draw(st.integers(0, len(base) - size))
    part = base[start : start + size][:: draw(st.sampled_from([1, -1]))]
    return part.reshape(shape, order=draw(st.sampled_from("CF")))


@st.composite
def overlapping(draw):
    """Draw x, parameters and out, all anywhere in a memory that is hardly larger than one."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    schedule = draw(schedules(1, 8))
    real = draw(st.sampled_from([np.float32, np.float64]))
    shape = (draw(st.integers(1, 4)), schedule.n)
    dtype = np.dtype(draw(st.sampled_from([real, complex_of(real)])))
    step = dtype.itemsize // np.dtype(real).itemsize
    sizes = [2 * shape[0] * shape[1], schedule.num_rotations]
    memory = rng.uniform(-3, 3, 2 * (max(sizes) + draw(st.integers(0, 9)))).astype(real)
    vectors = memory[: len(memory) // step * step].view(dtype)
    options = {}
    if dtype != real and draw(st.booleans()):
        options["phases"] = draw(windows(memory, (schedule.num_rotations,)))
        options["diagonal"] = draw(windows(memory, (schedule.n,)))
    angles = draw(windows(memory, (schedule.num_rotations,)))
    x, out = (draw(windows(vectors, shape)) for _ in range(2))
    return schedule, memory, {"angles": angles, **options}, x, out


@EXAMPLES
@given(overlapping(), st.booleans(), st.sampled_from([-1, -2]))
def test_out_may_overlap_inputs(problem, inverse: bool, axis: int) -> None:
    schedule, memory, parameters, x, out = problem
    if axis == -2:
        x, out = x.T, out.T
    expected = givens.rotate(
        x.copy(),
        schedule=schedule,
        axis=axis,
        inverse=inverse,
        **{name: a.copy() for name, a in parameters.items()},
    )
    rest = memory.copy()
    givens.rotate(x, schedule=schedule, axis=axis, inverse=inverse, out=out, **parameters)
    assert out.tobytes() == expected.tobytes()

    # Nothing outside of out has changed.
    written = np.zeros(memory.shape, bool)
    low, high = np.lib.array_utils.byte_bounds(out)
    start = memory.__array_interface__["data"][0]
    written[(low - start) // memory.itemsize : (high - start) // memory.itemsize] = True
    assert memory[~written].tobytes() == rest[~written].tobytes()


@EXAMPLES
@given(problems(vectors=1, full_batch=True))
def test_out_that_overlaps_itself_is_refused(p: Problem) -> None:
    shape = p.vectors[0].shape
    axis = next((d for d, extent in enumerate(shape) if extent > 1), None)
    assume(axis is not None)
    assume(0 not in shape)
    one = np.ones(
        [1 if d == axis else extent for d, extent in enumerate(shape)], p.vectors[0].dtype
    )
    strides = [0 if d == axis else s for d, s in enumerate(one.strides)]
    out = np.lib.stride_tricks.as_strided(one, shape, strides, writeable=True)
    with pytest.raises(ValueError, match=r"^out must not overlap itself$"):
        rotate(p, out=out)
    assert np.all(one == 1)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
@pytest.mark.parametrize("layout", ["unaligned", "packed field"])
def test_unaligned_input_is_really_unaligned(layout: str, dtype) -> None:
    # What the drawn problems rely on.
    x = LAYOUTS[layout]((3, 4), np.dtype(dtype))
    assert not x.flags.aligned
