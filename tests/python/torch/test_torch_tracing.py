"""What PyTorch's tracers, modes and tools make of the operators.

Export to ONNX has its own file, and compilation is tested with the functions.
"""

import functools
import io

import pytest
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.profiler import ProfilerActivity, profile
from torch.utils.checkpoint import (
    CheckpointPolicy,
    checkpoint,
    create_selective_checkpoint_contexts,
)
from torch.utils.flop_counter import FlopCounterMode

import givens.torch
from givens import Schedule

# PyTorch itself causes these.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec"),
    pytest.mark.filterwarnings("ignore:The given buffer is not writable"),
    pytest.mark.filterwarnings("ignore:.*Profiler clears events"),
]

XOR = Schedule.xor(6)


class Model(nn.Module):
    """Rotates vectors and multiplies them by a matrix, real or unitary."""

    def __init__(self, is_complex: bool = False, axis: int = -1) -> None:
        super().__init__()
        sizes = [XOR.num_rotations, XOR.num_rotations, XOR.n] if is_complex else [XOR.num_rotations]
        self.parameters_of_u = nn.ParameterList(torch.randn(size) for size in sizes)
        self.axis = axis

    def forward(self, x):
        angles, *rest = self.parameters_of_u
        options = dict(zip(("phases", "diagonal"), rest, strict=False))
        y = givens.torch.rotate(x, angles, XOR, axis=self.axis, **options)
        return y @ givens.torch.matrix(angles, XOR, **options).mT


EACH_MODEL = pytest.mark.parametrize("is_complex", [False, True])


def vectors(is_complex: bool, rows: int = 3) -> torch.Tensor:
    return torch.randn(rows, 6, dtype=torch.complex64 if is_complex else torch.float32)


def gradients(model: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    leaves = [*model.parameters()]
    return [*torch.autograd.grad(model(x).abs().pow(3).sum(), leaves)]


# --- Tracers -------------------------------------------------------------------------------------


@EACH_MODEL
def test_symbolic_trace(is_complex: bool) -> None:
    model, x = Model(is_complex), vectors(is_complex)
    traced = torch.fx.symbolic_trace(model)
    assert "torch.ops.givens.rotate" in traced.code
    assert torch.equal(traced(x), model(x))
    for a, b in zip(gradients(traced, x), gradients(model, x), strict=True):
        assert torch.equal(a, b)
    more = vectors(is_complex, 8)
    assert torch.equal(traced(more), model(more))


def test_symbolic_trace_with_an_axis_from_the_front() -> None:
    x, angles = torch.randn(6, 3), torch.randn(XOR.num_rotations)
    for axis in (0, -2):

        def rotate(x, angles, axis=axis):
            return givens.torch.rotate(x, angles, XOR, axis=axis, inverse=True)

        traced = torch.fx.symbolic_trace(rotate, concrete_args={"axis": axis})
        assert torch.equal(traced(x, angles), rotate(x, angles))
        per_column = torch.func.vmap(traced, (-1, None), -1)(x.reshape(6, 3, 1), angles)
        assert torch.equal(per_column[..., 0], rotate(x, angles))


@pytest.mark.filterwarnings("ignore:.torch.jit")
@EACH_MODEL
def test_script_of_a_trace_is_saved_and_loaded(is_complex: bool) -> None:
    model, x = Model(is_complex), vectors(is_complex)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(model, (x,)), buffer)
    buffer.seek(0)
    loaded = torch.jit.load(buffer)
    more = vectors(is_complex, 8)
    assert torch.equal(loaded(more), model(more))


def test_make_fx_sees_real_and_fake_tensors() -> None:
    x, angles = torch.randn(3, 6), torch.randn(XOR.num_rotations)

    def rotate(x, angles):
        return givens.torch.rotate(x, angles, XOR)

    for mode in ("real", "fake", "symbolic"):
        graph = make_fx(rotate, tracing_mode=mode)(x, angles)
        assert "givens.rotate" in graph.code
        assert torch.equal(graph(x, angles), rotate(x, angles))


# --- Export --------------------------------------------------------------------------------------


@EACH_MODEL
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "dim", [torch.export.Dim("vectors"), torch.export.Dim.AUTO], ids=["Dim", "AUTO"]
)
def test_programs_for_any_number_of_vectors(is_complex: bool, strict: bool, dim) -> None:
    model, x = Model(is_complex), vectors(is_complex)
    program = torch.export.export(model, (x,), dynamic_shapes=({0: dim},), strict=strict)
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    buffer.seek(0)
    programs = [program, program.run_decompositions(), torch.export.load(buffer)]
    for rows in (1, 3, 300):
        more = vectors(is_complex, rows)
        for p in programs:
            torch.testing.assert_close(p.module()(more), model(more))
    assert "givens.rotate" in str(programs[1].graph)
    for a, b in zip(gradients(program.module(), x), gradients(model, x), strict=True):
        torch.testing.assert_close(a, b)


@EACH_MODEL
@pytest.mark.parametrize("strict", [False, True])
def test_programs_in_plain_operations(is_complex: bool, strict: bool) -> None:
    model, x = Model(is_complex), vectors(is_complex)
    shapes = ({0: torch.export.Dim.AUTO},)
    with givens.torch.plain_operations():
        program = torch.export.export(model, (x,), dynamic_shapes=shapes, strict=strict)
    more = vectors(is_complex, 8)
    for p in (program, program.run_decompositions()):
        assert "givens" not in str(p.graph)
        torch.testing.assert_close(p.module()(more), model(more))


def test_compilation_for_any_number_of_vectors_compiles_once() -> None:
    model = Model()
    compiled = torch.compile(model, backend="aot_eager", dynamic=True, fullgraph=True)
    with torch.compiler.set_stance("default"):
        compiled(torch.randn(3, 6))
    with torch.compiler.set_stance("fail_on_recompile"):
        for rows in (2, 64, 300):
            x = torch.randn(rows, 6)
            torch.testing.assert_close(compiled(x), model(x))


def test_package_that_is_compiled_ahead_of_time(tmp_path) -> None:
    model = Model().requires_grad_(False)
    dim = torch.export.Dim("vectors", min=1, max=512)
    with torch.no_grad():
        program = torch.export.export(model, (torch.randn(3, 6),), dynamic_shapes=({0: dim},))
        path = torch._inductor.aoti_compile_and_package(program, package_path=f"{tmp_path}/m.pt2")
        loaded = torch._inductor.aoti_load_package(path)
        for rows in (1, 300):
            x = torch.randn(rows, 6)
            torch.testing.assert_close(loaded(x), model(x))


# --- Modes and tools -----------------------------------------------------------------------------


@EACH_MODEL
def test_fake_tensors(is_complex: bool) -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        model, x = Model(is_complex), vectors(is_complex)
        y = model(x)
        assert (y.shape, y.dtype, y.device.type) == (x.shape, x.dtype, "cpu")
        for g, p in zip(gradients(model, x), model.parameters(), strict=True):
            assert (g.shape, g.dtype) == (p.shape, p.dtype)


@EACH_MODEL
def test_gradients_on_the_meta_device(is_complex: bool) -> None:
    with torch.device("meta"):
        model, x = Model(is_complex), vectors(is_complex)
        assert model(x).device.type == "meta"
        for g, p in zip(gradients(model, x), model.parameters(), strict=True):
            assert (g.shape, g.dtype, g.device.type) == (p.shape, p.dtype, "meta")


def count(function) -> dict[str, int]:
    with FlopCounterMode(display=False) as counter:
        function()
    counts = counter.get_flop_counts().get("Global", {})
    return {str(op).removeprefix("givens."): n for op, n in counts.items() if "givens" in str(op)}


def test_operations_are_counted() -> None:
    angles, x = torch.randn(XOR.num_rotations, requires_grad=True), torch.randn(10, 6)
    phases = torch.randn(XOR.num_rotations)
    one = 6 * XOR.num_rotations  # four products and two sums a rotation

    def rotate(x, angles=angles, **options):
        return givens.torch.rotate(x, angles, XOR, **options)

    assert count(lambda: rotate(x)) == {"rotate": 10 * one}
    assert count(lambda: rotate(x.T, axis=0)) == {"rotate": 10 * one}
    assert count(lambda: rotate(x.cfloat())) == {"rotate": 10 * 2 * one}
    assert count(lambda: rotate(x.cfloat(), phases=phases)) == {"rotate": 10 * 20 / 6 * one}
    assert count(lambda: rotate(x[None], angles.expand(4, -1))) == {"rotate": 40 * one}
    assert count(lambda: rotate(x).sum().backward()) == {
        "rotate": 10 * one,
        "rotate_vjp": 30 * one,
    }
    assert count(lambda: givens.torch.matrix(angles, XOR).sum().backward()) == {
        "matrix": 6 * one,
        "matrix_vjp": 18 * one,
    }
    detached = angles.detach()
    assert count(lambda: torch.func.jvp(lambda a: rotate(x, a), (detached,), (detached,))) == {
        "rotate": 10 * one,
        "rotate_jvp": 30 * one,
    }
    compiled = torch.compile(rotate, backend="aot_eager")
    assert count(lambda: compiled(x)) == {"rotate": 10 * one}


def test_the_profiler_shows_names() -> None:
    model, x = Model(), torch.randn(3, 6)
    with profile(activities=[ProfilerActivity.CPU]) as trained:
        model(x).sum().backward()
    with profile(activities=[ProfilerActivity.CPU]) as evaluated, torch.no_grad():
        model(x)
    for events, names in (
        (trained, ["rotate", "matrix", "rotateBackward", "matrixBackward"]),
        (evaluated, ["rotate", "matrix"]),
    ):
        counts = {event.key: event.count for event in events.key_averages()}
        assert [counts.get(f"givens::{name}") for name in names] == [1] * len(names)


def test_policies_of_checkpoints_see_the_operators() -> None:
    model, x = Model(), torch.randn(3, 6)
    seen = []

    def policy(context, operator, *args, **options):
        seen.append(operator)
        saves = operator in (torch.ops.givens.rotate.default, torch.ops.givens.matrix.default)
        return CheckpointPolicy.MUST_SAVE if saves else CheckpointPolicy.PREFER_RECOMPUTE

    contexts = functools.partial(create_selective_checkpoint_contexts, policy)
    y = checkpoint(model, x, use_reentrant=False, context_fn=contexts)
    found = torch.autograd.grad(y.abs().pow(3).sum(), [*model.parameters()])
    assert torch.ops.givens.rotate.default in seen
    for a, b in zip(found, gradients(model, x), strict=True):
        assert torch.equal(a, b)
