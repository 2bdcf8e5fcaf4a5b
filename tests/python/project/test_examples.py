"""The examples of the docstrings and of the documents run, and every public name has one."""

import doctest
import inspect
import re
from pathlib import Path

import pytest

import givens
import givens.jax
import givens.torch
from givens import Schedule

ROOT = Path(__file__).parents[3]

FUNCTIONS = [
    "Approximation",
    "Diagonalisation",
    "FitError",
    "MatrixGradients",
    "Parameters",
    "RotateGradients",
    "approximate",
    "decompose",
    "fit_angles",
    "haar_log_density",
    "haar_log_density_gradient",
    "initial_parameters",
    "jacobi",
    "matrix",
    "rotate",
    "matrix_vjp",
    "rotate_vjp",
    "matrix_jvp",
    "rotate_jvp",
    "rotate_vjp_jvp",
    "get_num_threads",
    "Operator",
    "random_rotation",
    "register_threadpoolctl",
    "set_num_threads",
    "cuda.is_available",
    "cuda.prepare",
    "cuda.unavailable_reason",
    "jax.matrix",
    "jax.rotate",
    "torch.Adapter",
    "torch.Orthogonal",
    "torch.fold",
    "torch.matrix",
    "torch.orthogonal",
    "torch.plain_operations",
    "torch.rotate",
]
FACTORIES = ["circle", "xor", "team", "brickwall", "butterfly", "wavefront"]
FACTORIES += ["from_rounds", "from_dict", "blocks"]
OPERATOR_METHODS = ["conj", "load", "matmat", "matrix", "matvec", "rmatmat", "rmatvec", "rotate"]
OPERATOR_METHODS += ["save", "vjp"]
METHODS = ["reversed", "to_dict", "to_triangular", "from_triangular"]

# What must have an example; other members may.
EXAMPLES_WANTED = [
    "givens",
    "givens.Schedule",
    "givens.cuda",
    "givens.jax",
    "givens.torch",
    *(f"givens.{name}" for name in FUNCTIONS),
    *(f"givens.Schedule.{name}" for name in FACTORIES + METHODS),
]


def documented() -> dict[str, object]:
    """Return every public object by its name; doctest's own search passes over compiled ones."""
    found: dict[str, object] = {"givens": givens}
    for name in givens.__all__:
        found[f"givens.{name}"] = getattr(givens, name)
    for name in givens.cuda.__all__:
        found[f"givens.cuda.{name}"] = getattr(givens.cuda, name)
    found["givens.jax"] = givens.jax
    for name in givens.jax.__all__:
        found[f"givens.jax.{name}"] = getattr(givens.jax, name)
    found["givens.torch"] = givens.torch
    for name in givens.torch.__all__:
        found[f"givens.torch.{name}"] = getattr(givens.torch, name)
    for kind in (Schedule, givens.Operator):
        for name in dir(kind):
            if not name.startswith("_"):
                found[f"givens.{kind.__name__}.{name}"] = inspect.getattr_static(kind, name)
    return {
        name: thing.__func__ if isinstance(thing, staticmethod) else thing
        for name, thing in found.items()
        if name != "givens.__version__"
    }


DOCUMENTED = documented()


def test_public_names_are_all_here() -> None:
    callables = {name for name in DOCUMENTED if callable(DOCUMENTED[name])}
    # The class, its instance methods and static ones. What tells by a line needs no example.
    modules = {"givens", "givens.cuda", "givens.jax", "givens.torch"}
    of_operator = {f"givens.Operator.{name}" for name in OPERATOR_METHODS}
    assert callables - {"givens.Schedule.round"} - of_operator == {*EXAMPLES_WANTED} - modules


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_public_name_is_documented(name: str) -> None:
    text = inspect.getdoc(DOCUMENTED[name])
    assert text
    # A sentence of its own, not just the signature that the bindings add.
    summary = [line for line in text.splitlines() if line and "->" not in line]
    assert summary


@pytest.mark.parametrize("name", DOCUMENTED)
def test_docstring_examples(name: str) -> None:
    # A docstring of a compiled function keeps its own indentation.
    test = doctest.DocTestParser().get_doctest(
        inspect.getdoc(DOCUMENTED[name]), globs={}, name=name, filename=None, lineno=None
    )
    if name in EXAMPLES_WANTED:
        assert test.examples, f"{name} has no example"
    report: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert results.failed == 0, "".join(report)
    assert results.attempted == len(test.examples)


def python_blocks(document: Path) -> list[tuple[int, str]]:
    """Return Python blocks with the number of their first line."""
    text = document.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, match.start(1)) + 1, match[1])
        for match in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


# Documents, and the libraries that their examples need.
@pytest.mark.parametrize(
    ("name", "libraries"),
    [
        ("README.md", ["jax", "torch"]),
        ("docs/arrays.md", ["torch"]),
        ("docs/few_rotations.md", []),
        ("docs/jax.md", ["jax"]),
        ("docs/torch.md", ["torch"]),
    ],
)
def test_examples_of_documents(name: str, libraries: list[str]) -> None:
    for library in libraries:
        pytest.importorskip(library)
    document = ROOT / name
    blocks = python_blocks(document)
    assert blocks, f"{name} has no Python example"
    # A block may use what those before it defined, as a reader would.
    names: dict[str, object] = {}
    for line, block in blocks:
        if ">>>" in block:
            test = doctest.DocTestParser().get_doctest(block, names, name, str(document), line)
            report: list[str] = []
            failed = doctest.DocTestRunner(verbose=False).run(
                test, out=report.append, clear_globs=False
            )
            assert failed.failed == 0, "".join(report)
            names.update(test.globs)
        else:
            # Empty lines put the numbers of a traceback right.
            exec(compile("\n" * (line - 1) + block, str(document), "exec"), names)
