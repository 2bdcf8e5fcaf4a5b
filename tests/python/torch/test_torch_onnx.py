"""Export to ONNX, as gathers, products and sums, and what onnxruntime computes with it."""

import numpy as np
import pytest
import torch
from torch import nn

import givens.torch
from cases import REAL_OPTIONS, SCHEDULES, random_parameters
from givens import Schedule

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

# PyTorch and onnxscript themselves cause these.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:You are using the legacy TorchScript-based ONNX export"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    pytest.mark.filterwarnings("ignore:Constant folding"),
]

# Its rotations do what rotation by rotation a float32 does, up to the order of sums.
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


class Rotation(nn.Module):
    """Rotates vectors, and multiplies by the matrix."""

    def __init__(self, schedule: Schedule, kind: str = "angles alone", **rotation) -> None:
        super().__init__()
        angles, options = random_parameters(
            np.random.default_rng(0), kind, schedule, dtype=np.float32
        )
        self.schedule, self.rotation = schedule, rotation
        self.angles = nn.Parameter(torch.from_numpy(angles))
        self.options = nn.ParameterDict({k: torch.from_numpy(v) for k, v in options.items()})

    def forward(self, x):
        given = {"schedule": self.schedule, **self.options}
        y = givens.torch.rotate(x, self.angles, **given, **self.rotation)
        U = givens.torch.matrix(self.angles, **given)
        return y, x @ U if U.shape[0] == x.shape[-1] else U


def run(model: nn.Module, x: torch.Tensor, folder, more=(), **options) -> None:
    """Export for these vectors, and compare what onnxruntime computes for them and for more."""
    path = str(folder / "model.onnx")
    torch.onnx.export(model.eval(), (x,), path, verbose=False, **options)
    compare(path, model, (x, *more))


def compare(path: str, model: nn.Module, vectors) -> None:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for given in vectors:
        expected = model(given)
        found = session.run(None, {session.get_inputs()[0].name: given.numpy()})
        expected = expected if isinstance(expected, tuple) else (expected,)
        for a, b in zip(found, expected, strict=True):
            # Results of 16 bits are rounded once.
            close = {} if b.dtype == torch.float16 else TOLERANCE
            torch.testing.assert_close(torch.from_numpy(a), b.detach(), **close)


class Several(nn.Module):
    """Several rotations of the same vectors in one program: each export takes a second."""

    def __init__(self, rotations) -> None:
        super().__init__()
        self.rotations = nn.ModuleList(rotations)

    def forward(self, x):
        return tuple(y for rotation in self.rotations for y in rotation(x))


def test_schedules(tmp_path) -> None:
    names = ("circle", "xor, columns", "brickwall", "random rounds")
    model = Several(Rotation(SCHEDULES[name](7)) for name in names)
    run(model, torch.randn(3, 7), tmp_path, dynamo=True)


@pytest.mark.parametrize("kind", REAL_OPTIONS)
def test_options(kind: str, tmp_path) -> None:
    if kind == "phases and signs":
        pytest.skip("complex")
    model = Rotation(Schedule.xor(5), kind, axis=0, inverse=True)
    model.forward = lambda x: givens.torch.rotate(
        x, model.angles, model.schedule, axis=0, inverse=True, **model.options
    )
    run(model, torch.randn(5, 3), tmp_path, dynamo=True)


@pytest.mark.parametrize("rows", ["Dim", "AUTO"])
def test_any_number_of_vectors(rows: str, tmp_path) -> None:
    dim = torch.export.Dim("rows") if rows == "Dim" else torch.export.Dim.AUTO
    more = [torch.randn(k, 6) for k in (1, 100)]
    options = {"dynamic_shapes": ({0: dim},), "dynamo": True}
    run(Rotation(Schedule.xor(6)), torch.randn(3, 6), tmp_path, more, **options)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_dtypes(dtype, tmp_path) -> None:
    model = Rotation(Schedule.xor(6)).to(dtype)
    # onnxruntime multiplies matrices of float16 in float16.
    model.forward = lambda x: givens.torch.rotate(x, model.angles, model.schedule)
    run(model, torch.randn(3, 6, dtype=dtype), tmp_path, dynamo=True)


def test_a_program_that_was_exported_before(tmp_path) -> None:
    model, x, more = Rotation(Schedule.xor(6)), torch.randn(3, 6), torch.randn(9, 6)
    shapes = ({0: torch.export.Dim.AUTO},)
    with givens.torch.plain_operations():
        program = torch.export.export(model, (x,), dynamic_shapes=shapes)
    path = str(tmp_path / "model.onnx")
    torch.onnx.export(program, (), path, verbose=False)
    compare(path, model, (x, more))


def test_the_exporter_of_torchscript(tmp_path) -> None:
    run(Rotation(Schedule.xor(6)), torch.randn(3, 6), tmp_path, dynamo=False)
