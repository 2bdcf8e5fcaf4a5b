"""Every refusal: the type of the error and the whole message, and that nothing was written."""

import re
from collections.abc import Callable

import numpy as np
import pytest

import givens
from cases import complex_of, exactly
from givens import Schedule

XOR4 = Schedule.xor(4)
WIDE_DTYPES = "float32, float64, complex64 or complex128"
ALL_DTYPES = f"float16, bfloat16, {WIDE_DTYPES}"
NO_ARRAY = "must be a NumPy array or one with __dlpack__, got"
SWAPPED = np.dtype("float64").newbyteorder().str
SWAPPED_HALF = np.dtype("float16").newbyteorder().str
WRONG_DTYPES = ["int64", "bool", "longdouble", SWAPPED, SWAPPED_HALF, "int16", "object", "S8"]


MASKED = (
    "must be an array without a mask, got MaskedArray: its filled() puts numbers in the place of "
    "what is masked, and its data has what was there"
)


class Frame:
    """An object that NumPy makes an array of, as a data frame is."""

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return np.zeros(6)


def no_array(name: str, other: object) -> str:
    """Return the message about an object that NumPy can convert, without the argument's name."""
    return f"{NO_ARRAY} {type(other).__name__}: np.asarray({name}, dtype=...) makes one"


def zeros(*shape: int, dtype="float64") -> np.ndarray:
    return np.zeros(shape, dtype)


def read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def unaligned(*shape: int) -> np.ndarray:
    return np.zeros(8 * int(np.prod(shape)) + 1, np.uint8)[1:].view("float64").reshape(shape)


# For each function a call that is accepted; a row of the table below changes some arguments.
FUNCTIONS: dict[str, tuple[Callable, dict[str, object]]] = {
    "matrix": (givens.matrix, {"angles": zeros(6)}),
    "rotate": (givens.rotate, {"x": zeros(3, 4), "angles": zeros(6)}),
    "rotate_vjp": (
        givens.rotate_vjp,
        {"y": zeros(3, 4), "gy": zeros(3, 4), "angles": zeros(6)},
    ),
    "matrix_vjp": (
        givens.matrix_vjp,
        {"U": zeros(4, 4), "gU": zeros(4, 4), "angles": zeros(6)},
    ),
}

VECTORS = {"rotate": ["x"], "rotate_vjp": ["y", "gy"], "matrix_vjp": ["U", "gU"]}

# The name of the function, the changed arguments, the type of the error, the message.
Row = tuple[str, dict[str, object], type[Exception], str]


def rows_of(
    function: str, error: type[Exception], refused: dict[str, dict[str, object]]
) -> list[Row]:
    """Make rows of one function from messages and the arguments that are changed."""
    return [(function, changed, error, message) for message, changed in refused.items()]


def alike(function: str, array: np.ndarray) -> dict[str, object]:
    """Pass one array for all vectors of a function."""
    return dict.fromkeys(VECTORS.get(function, []), array)


# --- Types and dtypes ----------------------------------------------------------------------------


def type_rows() -> list[Row]:
    rows: list[Row] = []
    parameters = ["angles", "phases", "diagonal", "signs"]
    for function, (_, valid) in FUNCTIONS.items():
        of_vectors = WIDE_DTYPES if function == "matrix_vjp" else ALL_DTYPES
        arrays = dict.fromkeys(VECTORS.get(function, []), of_vectors)
        arrays |= dict.fromkeys(parameters, "float32 or float64")
        for name, allowed in arrays.items():
            shape = np.shape(valid.get(name, zeros(4 if name in ("diagonal", "signs") else 6)))
            for other in [1.0, "text"]:
                message = f"{name} {NO_ARRAY} {type(other).__name__}"
                rows.append((function, {name: other}, TypeError, message))
            for convertible in [zeros(*shape).tolist(), (0.5, 1.5), Frame(), memoryview(zeros(3))]:
                message = f"{name} {no_array(name, convertible)}"
                rows.append((function, {name: convertible}, TypeError, message))
            masked = np.ma.masked_greater(zeros(*shape), 1.0)
            rows.append((function, {name: masked}, TypeError, f"{name} {MASKED}"))
            wrong = [*WRONG_DTYPES, *(["complex128"] if name in parameters else [])]
            wrong += [] if allowed == ALL_DTYPES else ["float16"]
            for dtype in wrong:
                array = np.zeros(shape, dtype)
                message = f"{name} must be {allowed}, got {array.dtype}"
                rows.append((function, {name: array}, TypeError, message))
        for name in valid:
            message = f"{name} {NO_ARRAY} NoneType"
            rows.append((function, {name: None}, TypeError, message))
        for other in [None, 4, "xor", [[(0, 1)]]]:
            message = f"schedule must be a givens.Schedule, got {type(other).__name__}"
            rows.append((function, {"schedule": other}, TypeError, message))
    return rows


def precision_rows() -> list[Row]:
    """Mix precisions, and pass real vectors with complex U."""
    rows: list[Row] = []
    options = {"phases": zeros(6), "diagonal": zeros(4), "signs": np.ones(4)}
    for real, other in [("float32", "float64"), ("float64", "float32")]:
        made_complex, other_complex = complex_of(real).name, complex_of(other).name
        angles = {"angles": zeros(6, dtype=real)}
        for function in FUNCTIONS:
            shape = (4, 4) if function == "matrix_vjp" else (3, 4)
            vectors = alike(function, zeros(*shape, dtype=made_complex))
            for name, values in options.items():
                message = f"{name} must be {real} as angles are, got {other}"
                changed = {**vectors, **angles, name: values.astype(other)}
                rows.append((function, changed, TypeError, message))
        for function, first in [("rotate", "x"), ("rotate_vjp", "y")]:
            halves, half = ("float16, bfloat16, ", []) if real == "float32" else ("", ["float16"])
            for dtype in (other, other_complex, *half):
                changed = {**angles, **alike(function, zeros(3, 4, dtype=dtype))}
                message = (
                    f"{first} must be {halves}{real} or {made_complex} with {real} angles, "
                    f"got {dtype}"
                )
                rows.append((function, changed, TypeError, message))
            for dtype in (real, other, other_complex):
                changed = {**angles, **alike(function, zeros(3, 4, dtype=dtype))}
                message = (
                    f"{first} must be {made_complex} with {real} phases or diagonal, got {dtype}"
                )
                for name in ("phases", "diagonal"):
                    option = {name: options[name].astype(real)}
                    rows.append((function, {**changed, **option}, TypeError, message))
        phases = {"phases": zeros(6, dtype=real)}
        for wanted, given in ((real, {}), (made_complex, phases)):
            for dtype in sorted({real, other, made_complex, other_complex} - {wanted}):
                changed = {**angles, **given, **alike("matrix_vjp", zeros(4, 4, dtype=dtype))}
                message = f"U must be {wanted}, as matrix returned it, got {dtype}"
                rows.append(("matrix_vjp", changed, TypeError, message))
    for dtype in ("float32", "complex64", "complex128"):
        for function, name, shape, like in (
            ("rotate_vjp", "gy", (3, 4), "y"),
            ("matrix_vjp", "gU", (4, 4), "U"),
            ("rotate", "out", (3, 4), "x"),
        ):
            message = f"{name} must be float64 as {like} is, got {dtype}"
            rows.append((function, {name: zeros(*shape, dtype=dtype)}, TypeError, message))
    return rows


def keyword_rows() -> list[Row]:
    rows: list[Row] = []
    for function in ("rotate", "rotate_vjp"):
        for name, wanted, wrong in (
            ("axis", "an integer", [1.0, None, (0, 1), np.ones(2)]),
            ("inverse", "a bool", [1, None, "no"]),
        ):
            for value in wrong:
                message = f"{name} must be {wanted}, got {type(value).__name__}"
                rows.append((function, {name: value}, TypeError, message))
        message = "axis must fit into 64 bits, got 18446744073709551616"
        rows.append((function, {"axis": 2**64}, ValueError, message))
    return rows


# --- Shapes and values ---------------------------------------------------------------------------


def parameter_rows() -> list[Row]:
    rows: list[Row] = []
    extents = {
        "angles": (6, "schedule.num_rotations"),
        "phases": (6, "schedule.num_rotations"),
        "diagonal": (4, "schedule.n"),
        "signs": (4, "schedule.n"),
    }
    for function, (_, valid) in FUNCTIONS.items():
        # Vectors must be complex with phases or a diagonal.
        in_complex = {
            name: array.astype("complex128") for name, array in valid.items() if name != "angles"
        }
        for name, (extent, source) in extents.items():
            vectors = in_complex if name in ("phases", "diagonal") else {}
            for shape in [(5,), (7,), (6, 1), (), (2, 0), (0,)]:
                message = (
                    f"{name} must have {extent} entries ({source}) along the last axis, "
                    f"got shape {shape}"
                )
                rows.append((function, {**vectors, name: np.ones(shape)}, ValueError, message))
        both = {"signs": np.ones(4), "diagonal": zeros(4)}
        message = "signs and diagonal exclude each other, got both"
        rows.append((function, {**in_complex, **both}, ValueError, message))
        for value in (np.nan, np.inf, -np.inf):
            signs = np.array([1.0, -1.0, value, 1.0])
            message = f"signs must be +1 or -1 each, got {value}"
            rows.append((function, {"signs": signs}, ValueError, message))
    for name, extent in [("phases", 6), ("diagonal", 4), ("signs", 4)]:
        changed = {"angles": zeros(3, 6), name: np.ones((2, extent))}
        message = (
            f"the leading axes of {name} must broadcast with the leading axes of the other"
            " parameters, "
            f"got {name} of shape (2, {extent}) and angles of shape (3, 6)"
        )
        rows.append(("matrix", changed, ValueError, message))
        x = zeros(3, 4, dtype="float64" if name == "signs" else "complex128")
        rows.append(("rotate", {**changed, "x": x}, ValueError, message))
    return rows


def vector_rows() -> list[Row]:
    rows: list[Row] = []
    for function, first in [("rotate", "x"), ("rotate_vjp", "y")]:
        entries = f"{first} must have 4 entries (schedule.n) along axis"
        axes = (
            f"{first} must have at least {{}} axes, the batch axes of the parameters and one of "
            "n = 4 coordinates, got shape"
        )
        leading = f"the leading axes of {first} must match the batch shape (3,) of the parameters"
        batch_axis = f"axis must not be one of the {{}} batch axes of {first}, got"
        for message, shape, changed in (
            (f"{entries} -1, got shape (3, 5)", (3, 5), {}),
            (f"{entries} 0, got shape (3, 4)", (3, 4), {"axis": 0}),
            (f"{axes.format(1)} ()", (), {}),
            (f"{axes.format(2)} (4,)", (4,), {"angles": zeros(3, 6)}),
            (f"{leading}, got shape (2, 4)", (2, 4), {"angles": zeros(3, 6)}),
            (f"{batch_axis.format(1)} 0", (4, 4), {"angles": zeros(4, 6), "axis": 0}),
            (f"{batch_axis.format(2)} -2", (4, 4, 4), {"angles": zeros(4, 4, 6), "axis": -2}),
        ):
            vectors = alike(function, zeros(*shape))
            rows.append((function, {**vectors, **changed}, ValueError, message))
        for axis in [2, -3, 32, -33, 2**40, -(2**63)]:
            message = f"axis must be between -2 and 1 for {first} of shape (3, 4), got {axis}"
            rows.append((function, {"axis": axis}, ValueError, message))
    for name in ("y", "gy"):
        changed = {**alike("rotate_vjp", zeros(3, 4)), "angles": zeros(3, 6), name: zeros(1, 4)}
        message = f"{name} must have shape (3, 4), got shape (1, 4)"
        rows.append(("rotate_vjp", changed, ValueError, message))
    for shape in [(4,), (3, 5), (4, 3), (3, 4, 1), (), (0, 4)]:
        message = f"gy must have shape (3, 4), got shape {shape}"
        rows.append(("rotate_vjp", {"gy": zeros(*shape)}, ValueError, message))
    for shape in [(4,), (4, 3), (1, 4, 4), (), (0, 4)]:
        for name in ("U", "gU"):
            message = f"{name} must have shape (4, 4), got shape {shape}"
            rows.append(("matrix_vjp", {name: zeros(*shape)}, ValueError, message))
    batch = {"angles": zeros(2, 6), **alike("matrix_vjp", zeros(1, 4, 4))}
    return rows + rows_of(
        "matrix_vjp",
        ValueError,
        {
            "U must have shape (2, 4, 4), got shape (1, 4, 4)": batch,
            "U must have shape (4, 3), got shape (4, 4)": {"schedule": Schedule.xor(4, columns=3)},
        },
    )


def out_rows() -> list[Row]:
    aligned = "out must be aligned, with strides that are multiples of its item size"
    field = np.zeros((3, 4), [("weight", "f8"), ("value", "c16")])["value"]
    repeated = np.lib.stride_tricks.as_strided(zeros(4), (3, 4), (0, 8), writeable=True)
    shifted = np.lib.stride_tricks.as_strided(zeros(6), (3, 4), (8, 8), writeable=True)
    wrong = [
        ({"out": read_only(zeros(3, 4))}, "out must be writeable, got a read-only array"),
        ({"out": unaligned(3, 4)}, aligned),
        ({"x": zeros(3, 4, dtype="complex128"), "out": field}, aligned),
        ({"out": repeated}, "out must not overlap itself"),
        ({"out": shifted}, "out must not overlap itself"),
        (
            {"x": zeros(1, 4), "angles": zeros(3, 6), "out": zeros(1, 4)},
            "out must have shape (3, 4), got shape (1, 4)",
        ),
    ]
    for shape in [(4, 3), (4,), (1, 3, 4), (3, 5), (), (0,)]:
        wrong.append(({"out": zeros(*shape)}, f"out must have shape (3, 4), got shape {shape}"))
    rows: list[Row] = [("rotate", changed, ValueError, message) for changed, message in wrong]
    listed = zeros(3, 4).tolist()
    rows.append(("rotate", {"out": listed}, TypeError, f"out {no_array('out', listed)}"))
    for function, shape in {"matrix": (4, 4), "rotate_vjp": (3, 4)}.items():
        for out, message in [
            (read_only(zeros(*shape)), "out must be writeable, got a read-only array"),
            (zeros(2, 4), f"out must have shape {shape}, got shape (2, 4)"),
        ]:
            rows.append((function, {"out": out}, ValueError, message))
    single = {"out": zeros(4, 4, dtype="float32")}
    rows.append(("matrix", single, TypeError, "out must be float64 as U is, got float32"))
    single = {"out": zeros(3, 4, dtype="float32")}
    rows.append(("rotate_vjp", single, TypeError, "out must be float64 as y is, got float32"))
    for dtype in WRONG_DTYPES:
        message = f"out must be {ALL_DTYPES}, got {np.dtype(dtype)}"
        rows.append(("rotate", {"out": np.zeros((3, 4), dtype)}, TypeError, message))
    return rows


def axes_rows() -> list[Row]:
    many = (1,) * 33
    x = zeros(*many, 4)
    return [
        (function, changed, ValueError, f"{name} must have at most 32 axes, got 34")
        for function, name, changed in (
            ("rotate", "x", {"x": x}),
            ("rotate", "angles", {"angles": zeros(*many, 6)}),
            ("rotate", "out", {"out": x}),
            ("rotate_vjp", "y", {"y": x, "gy": x}),
            ("rotate_vjp", "gy", {"gy": x}),
            ("matrix", "signs", {"signs": np.ones((*many, 4))}),
        )
    ]


ROWS = [
    pytest.param(*row, id=f"{row[0]}: {row[3]}")
    for row in [
        *type_rows(),
        *precision_rows(),
        *keyword_rows(),
        *parameter_rows(),
        *vector_rows(),
        *out_rows(),
        *axes_rows(),
    ]
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_calls_that_the_table_changes_are_accepted(function: str) -> None:
    call, valid = FUNCTIONS[function]
    call(schedule=XOR4, **valid)


@pytest.mark.parametrize(("function", "changed", "error", "message"), ROWS)
def test_refusal(function: str, changed: dict[str, object], error, message: str) -> None:
    call, valid = FUNCTIONS[function]
    arguments = {"schedule": XOR4, **valid, **changed}
    with pytest.raises(error, match=exactly(message)) as raised:
        call(**arguments)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("function", "changed", "error", "message"),
    [
        row
        for row in ROWS
        if row.values[0] == "rotate" and not isinstance(row.values[1].get("out"), list)
    ],
)
def test_refusal_writes_nothing(function, changed, error, message: str) -> None:
    arguments = {"schedule": XOR4, **FUNCTIONS["rotate"][1], **changed}
    x = arguments["x"]
    usable = isinstance(x, np.ndarray) and x.dtype.isnative and x.dtype.name in ALL_DTYPES
    if usable:
        arguments["x"] = np.ones_like(x)  # else writing the result to zeros would not show
    out = arguments.setdefault("out", zeros(3, 4, dtype=x.dtype if usable else "float64"))
    before = out.tobytes()
    with pytest.raises(error, match=exactly(message)):
        givens.rotate(**arguments)
    assert out.tobytes() == before


@pytest.mark.parametrize("value", [0.0, 2.0, -1.5, 1e-30, 1.0 + 2.0**-40])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_wrong_sign(function: str, value: float) -> None:
    call, valid = FUNCTIONS[function]
    signs = np.array([1.0, -1.0, value, 1.0])
    with pytest.raises(ValueError, match=r"^signs must be \+1 or -1 each, got (\S+)$") as raised:
        call(schedule=XOR4, **valid, signs=signs)
    # However it is written, the number shown is the one that came.
    shown = float(str(raised.value).rsplit(" ", 1)[1])
    assert shown == pytest.approx(value, rel=1e-14)


def test_sign_deep_in_a_batch_is_found() -> None:
    signs = np.ones((3, 5, 4))
    signs[2, 4, 3] = 0.5
    with pytest.raises(ValueError, match=r"^signs must be \+1 or -1 each, got 0\.5"):
        givens.matrix(zeros(6), XOR4, signs=signs)


def test_as_many_axes_as_allowed() -> None:
    x = np.random.default_rng(0).standard_normal((1,) * 30 + (3, 4))
    angles = np.full(6, 0.5)
    expected = givens.rotate(x.reshape(3, 4), angles, XOR4)
    np.testing.assert_array_equal(givens.rotate(x, angles, XOR4).reshape(3, 4), expected)
    assert givens.matrix(zeros(*(1,) * 30, 6), XOR4).shape == (1,) * 30 + (4, 4)
    with pytest.raises(ValueError, match=r"must have at most 32 axes, got 33$"):
        givens.matrix(zeros(*(1,) * 31, 6), XOR4)


# --- Schedules -----------------------------------------------------------------------------------

FACTORIES: dict[str, Callable] = {
    "circle": Schedule.circle,
    "xor": Schedule.xor,
    "team": lambda n, columns=None: Schedule.team(n, 4, columns),
    "from_rounds": lambda n, columns=None: Schedule.from_rounds(n, [], columns),
    "brickwall": Schedule.brickwall,
    "butterfly": Schedule.butterfly,
}


@pytest.mark.parametrize("name", FACTORIES)
@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        (-1, ValueError, "n must be at least 0, got -1"),
        (2**31, ValueError, "n must be at most 2147483647, got 2147483648"),
        (2**63, ValueError, "n must fit into 64 bits, got 9223372036854775808"),
        (4.0, TypeError, "n must be an integer, got float"),
        (np.float64(4), TypeError, "n must be an integer, got float64"),
        ("4", TypeError, "n must be an integer, got str"),
        (None, TypeError, "n must be an integer, got NoneType"),
        (np.array([1, 2]), TypeError, "n must be an integer, got ndarray"),
    ],
)
def test_wrong_n(name: str, n: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=exactly(message)):
        FACTORIES[name](n)


@pytest.mark.parametrize("name", ["circle", "xor", "team", "from_rounds"])
@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        (5, ValueError, "columns must be between 0 and n = 4, got 5"),
        (-1, ValueError, "columns must be between 0 and n = 4, got -1"),
        (-(2**64), ValueError, "columns must fit into 64 bits, got -18446744073709551616"),
        (2.0, TypeError, "columns must be an integer, got float"),
        ("2", TypeError, "columns must be an integer, got str"),
    ],
)
def test_wrong_columns(name: str, columns: object, error, message: str) -> None:
    with pytest.raises(error, match=exactly(message)):
        FACTORIES[name](4, columns=columns)


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        (0, ValueError, "size must be between 1 and 65536, got 0"),
        (-4, ValueError, "size must be between 1 and 65536, got -4"),
        (65537, ValueError, "size must be between 1 and 65536, got 65537"),
        (4.0, TypeError, "size must be an integer, got float"),
        (None, TypeError, "size must be an integer, got NoneType"),
    ],
)
def test_wrong_size(size: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=exactly(message)):
        Schedule.team(8, size)


@pytest.mark.parametrize(
    ("name", "n"),
    [("circle", 65538), ("xor", 65537), ("team", 65540), ("brickwall", 65538), ("xor", 2**31 - 1)],
)
def test_too_many_rotations(name: str, n: int) -> None:
    message = (
        rf"^a schedule must have fewer than 2\^31 rotations, n = {n} asks for up to (\d+) rounds "
        r"of (\d+)$"
    )
    with pytest.raises(ValueError, match=message) as raised:
        FACTORIES[name](n)
    rounds, size = map(int, re.search(message, str(raised.value)).groups())
    assert rounds * size >= max(n * (n - 1) // 2, 2**31)


@pytest.mark.parametrize(
    ("message", "rounds"),
    [
        ("[0]: pair (0, 4) has a coordinate outside 0..3", [[(0, 4)]]),
        ("[1]: pair (-1, 1) has a coordinate outside 0..3", [[(0, 1)], [(2, 3), (-1, 1)]]),
        (
            "[0] must hold integers of 64 bits with a sign, got 9223372036854775809",
            [np.array([[0, 2**63 + 1]], np.uint64)],
        ),
        ("[1]: pair (2, 2) has two equal coordinates", [[], [(2, 2)]]),
        ("[1]: pairs (3, 2) and (2, 1) share coordinate 2", [[(0, 1)], [(0, 1), (3, 2), (2, 1)]]),
        ("[0]: pairs (1, 2) and (1, 0) share coordinate 1", [[(3, 0), (1, 2), (1, 0)]]),
        ("[0]: pairs (0, 1) and (0, 1) share coordinate 0", [[(0, 1), (0, 1)]]),
        ("[1] must have shape (pairs, 2), got shape (1, 3)", [[(0, 1)], [(0, 1, 2)]]),
        ("[0] must have shape (pairs, 2), got shape (2,)", [(0, 1)]),
        ("[0] must have shape (pairs, 2), got shape ()", [0, 1]),
        ("[0] must be a list of pairs of integers", [[(0, 1), (2,)]]),
        ("[0] must hold integers, got float64", [[(0.0, 1.0)]]),
        ("[0] must hold integers, got object", [[(0, None)]]),
        ("[0] must hold integers, got <U1", [[("0", "1")]]),
        ("[0] must hold integers, got bool", [np.zeros((1, 2), bool)]),
        (" must be a list of rounds, got int", 4),
        (" must be a list of rounds, got NoneType", None),
    ],
)
def test_wrong_rounds(message: str, rounds: object) -> None:
    # The type is what is wrong where there are no integers.
    wrong_type = "must hold integers, got" in message or "list of rounds" in message
    with pytest.raises(TypeError if wrong_type else ValueError, match=exactly(f"rounds{message}")):
        Schedule.from_rounds(4, rounds)


def test_rounds_on_no_coordinates() -> None:
    with pytest.raises(ValueError, match=r"^rounds\[0\]: pair \(0, 1\) has a coordinate outside"):
        Schedule.from_rounds(0, [[(0, 1)]])


@pytest.mark.parametrize(
    ("message", "description"),
    [
        ("description must have the key 'kind', got keys []", {}),
        ("description must have the key 'n', got keys ['kind']", {"kind": "xor"}),
        (
            "description must have the key 'size', got keys ['kind', 'n']",
            {"kind": "team", "n": 4},
        ),
        (
            "description must have the key 'rounds', got keys ['kind', 'n']",
            {"kind": "rounds", "n": 4},
        ),
        (
            "description must have only the keys of kind xor, got keys ['kind', 'n', 'size']",
            {"kind": "xor", "n": 4, "size": 2},
        ),
        (
            "kind must be one of circle, xor, team, brickwall, butterfly, wavefront, rounds, "
            "got ring",
            {"kind": "ring", "n": 4},
        ),
        (
            "description must have only the keys of kind brickwall, "
            "got keys ['kind', 'n', 'columns']",
            {"kind": "brickwall", "n": 4, "columns": 2},
        ),
        ("n must be an integer, got float", {"kind": "xor", "n": 4.0}),
        ("n must be at least 0, got -4", {"kind": "xor", "n": -4}),
        ("columns must be between 0 and n = 4, got 5", {"kind": "xor", "n": 4, "columns": 5}),
        (
            "rounds[0]: pair (0, 2) has a coordinate outside 0..1",
            {"kind": "rounds", "n": 2, "rounds": [[[0, 2]]]},
        ),
    ],
)
def test_wrong_description(message: str, description: dict) -> None:
    error = TypeError if "must be an integer" in message else ValueError
    with pytest.raises(error, match=exactly(message)):
        Schedule.from_dict(description)


def test_description_is_a_dict() -> None:
    for other in [None, [("kind", "xor")], "xor"]:
        with pytest.raises(TypeError, match="description: dict"):
            Schedule.from_dict(other)


@pytest.mark.parametrize("r", [-1, 3, 2**62])
def test_no_such_round(r: int) -> None:
    with pytest.raises(
        IndexError, match=exactly(f"r must be at least 0 and below num_rounds = 3, got {r}")
    ):
        XOR4.round(r)
    with pytest.raises(IndexError, match=r"^r must"):
        Schedule.xor(1).round(r)


def test_round_number_is_an_integer() -> None:
    with pytest.raises(TypeError, match=r"^r must be an integer, got float$"):
        XOR4.round(1.0)


@pytest.mark.parametrize("method", ["to_triangular", "from_triangular"])
@pytest.mark.parametrize("shape", [(), (5,), (6, 1), (0,)])
def test_wrong_number_of_angles_to_reorder(method: str, shape: tuple[int, ...]) -> None:
    message = (
        "angles must have 6 entries (schedule.num_rotations) along the last axis, "
        f"got shape {shape}"
    )
    with pytest.raises(ValueError, match=exactly(message)):
        getattr(XOR4, method)(np.zeros(shape))


@pytest.mark.parametrize("method", ["to_triangular", "from_triangular"])
def test_angles_to_reorder_are_an_array(method: str) -> None:
    for other in [[0.0] * 6, None]:
        with pytest.raises(TypeError, match=rf"^angles must .* got {type(other).__name__}"):
            getattr(XOR4, method)(other)


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (Schedule.brickwall(4), "Schedule.brickwall(4)"),
        (Schedule.butterfly(4), "Schedule.butterfly(4)"),
        (
            Schedule.from_rounds(3, [[(0, 1)], [(0, 1)], [(1, 2)]]),
            "<Schedule of 3 rounds, 3 rotations, n=3>",
        ),
        (Schedule.from_rounds(3, [[(0, 1)]]), "<Schedule of 1 rounds, 1 rotations, n=3>"),
    ],
)
def test_no_triangular_order(schedule: Schedule, text: str) -> None:
    message = exactly(
        f"the triangular order needs a schedule with each pair i < columns exactly once, got {text}"
    )
    angles = zeros(schedule.num_rotations)
    for call in [
        lambda: schedule.triangular_index,
        lambda: schedule.to_triangular(angles),
        lambda: schedule.from_triangular(angles),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
