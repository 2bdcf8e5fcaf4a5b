"""Functions on tensors of 16 bits: arithmetic in single precision, and the dtypes of results."""

import pytest
import torch
from torch import func

import givens
import givens.torch
from cases import OPTIONS
from givens import Schedule

SCHEDULE = Schedule.circle(5)
GRADIENTS = ("angles", "phases", "diagonal")
EACH_DTYPE = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
EACH_KIND = pytest.mark.parametrize("kind", OPTIONS)


def draw(kind: str, dtype: torch.dtype, batch=()) -> dict[str, torch.Tensor]:
    """Draw parameters, which are rounded to 16 bits."""
    generator = torch.Generator().manual_seed(0)
    sizes = {"angles": SCHEDULE.num_rotations, "phases": SCHEDULE.num_rotations}
    drawn = {
        name: torch.randn(*batch, sizes.get(name, SCHEDULE.n), generator=generator).to(dtype)
        for name in ("angles", *OPTIONS[kind])
    }
    if "signs" in drawn:
        drawn["signs"] = drawn["signs"].sign()
    return drawn


def is_complex(kind: str) -> bool:
    return not {"phases", "diagonal"}.isdisjoint(OPTIONS[kind])


def arrays(tensors):
    return {name: t.detach().float().numpy() for name, t in tensors.items()}


def vectors(kind: str, dtype: torch.dtype, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    made = torch.complex64 if is_complex(kind) else torch.float32
    x = torch.randn(*shape, dtype=made, generator=generator)
    return x if is_complex(kind) else x.to(dtype)


def wide(t: torch.Tensor):
    return (t if t.is_complex() else t.float()).detach().numpy()


@EACH_KIND
@EACH_DTYPE
@pytest.mark.parametrize("parameters_are_rounded", [False, True])
def test_rotate_and_its_gradient(dtype, kind: str, parameters_are_rounded: bool) -> None:
    parameters = draw(kind, dtype if parameters_are_rounded else torch.float32)
    x, gy = vectors(kind, dtype, 2, 3, 5)
    leaves = {k: p.requires_grad_(k != "signs") for k, p in parameters.items()}
    x.requires_grad_()
    y = givens.torch.rotate(x, schedule=SCHEDULE, **leaves)
    assert y.dtype == x.dtype
    expected = givens.rotate(wide(x), schedule=SCHEDULE, **arrays(parameters))
    assert torch.equal(y, torch.from_numpy(expected).to(y.dtype))

    y.backward(gy)
    found = givens.rotate_vjp(wide(y), wide(gy), schedule=SCHEDULE, **arrays(parameters))
    for name, gradient in zip(("x", *GRADIENTS), found, strict=True):
        leaf = x if name == "x" else leaves.get(name)
        if leaf is not None:
            assert leaf.grad.dtype == leaf.dtype
            assert torch.equal(leaf.grad, torch.from_numpy(gradient).to(leaf.dtype))


@EACH_KIND
@EACH_DTYPE
def test_matrix_and_its_gradient(dtype, kind: str) -> None:
    parameters = {k: p.requires_grad_(k != "signs") for k, p in draw(kind, dtype).items()}
    U = givens.torch.matrix(schedule=SCHEDULE, **parameters)
    # There are no complex numbers of 16 bits.
    assert U.dtype == (torch.complex64 if is_complex(kind) else dtype)
    expected = torch.from_numpy(givens.matrix(schedule=SCHEDULE, **arrays(parameters)))
    assert torch.equal(U, expected.to(U.dtype))
    gU = torch.ones_like(U)
    U.backward(gU)
    found = givens.matrix_vjp(wide(U), wide(gU), schedule=SCHEDULE, **arrays(parameters))
    for name, gradient in zip(GRADIENTS, found, strict=True):
        if name in parameters:
            assert torch.equal(parameters[name].grad, torch.from_numpy(gradient).to(dtype))


@EACH_KIND
@EACH_DTYPE
def test_every_way_to_compute_gives_the_same(dtype, kind: str) -> None:
    parameters = tuple(draw(kind, dtype).values())
    names = list(draw(kind, dtype))
    x = vectors(kind, dtype, 3, 5)

    def rotate(x, *parameters):
        return givens.torch.rotate(
            x, schedule=SCHEDULE, **dict(zip(names, parameters, strict=True))
        )

    y = rotate(x, *parameters)
    torch.compiler.reset()
    compiled = torch.compile(rotate, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x, *parameters), y)
    on_meta = rotate(*(t.to("meta") for t in (x, *parameters)))
    assert (on_meta.dtype, on_meta.shape) == (y.dtype, y.shape)
    assert torch.equal(func.vmap(rotate, (0, *[None] * len(parameters)))(x, *parameters), y)

    # Forward mode, which rounds the value and the tangent once each.
    differentiable = parameters[:-1] if names[-1] == "signs" else parameters
    rest = parameters[len(differentiable) :]
    args = (x, *differentiable)
    value, tangent = func.jvp(lambda *a: rotate(*a, *rest), args, args)
    assert torch.equal(value, y)
    exact = tuple(t if t.is_complex() else t.float() for t in args)
    _, expected = func.jvp(lambda *a: rotate(*a, *(t.float() for t in rest)), exact, exact)
    assert torch.equal(tangent, expected.to(y.dtype))


@EACH_DTYPE
def test_gradients_of_gradients(dtype) -> None:
    angles = draw("angles alone", dtype)["angles"].requires_grad_()
    x = vectors("angles alone", dtype, 3, 5)

    def second(x, angles):
        y = givens.torch.rotate(x, angles, SCHEDULE)
        (g,) = torch.autograd.grad(y.pow(2)[:, 0].sum(), angles, create_graph=True)
        return torch.autograd.grad(g.sum(), angles)[0]

    found = second(x, angles)
    assert found.dtype == dtype
    expected = second(x.float(), angles.detach().float().requires_grad_())
    # Each of ten numbers is the sum of products of rounded ones.
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=30 * torch.finfo(dtype).eps)


@EACH_DTYPE
def test_vectors_are_kept_in_16_bits(dtype) -> None:
    """The engine takes them as they are: what is kept for the gradient has their dtype."""
    layer = givens.torch.Orthogonal(5, schedule=SCHEDULE, compute="rotate")
    x = vectors("angles alone", dtype, 40, 5).requires_grad_()
    calls = {
        "function": lambda: givens.torch.rotate(x, layer.angles, SCHEDULE),
        "layer": lambda: layer(x),
        "inverse": lambda: layer.inverse(x),
    }
    kept: list[torch.Tensor] = []
    for call in calls.values():
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
            y = call()
        assert {t.dtype for t in kept if t.shape == x.shape} == {dtype}
        y.sum().backward()
        assert (x.grad.dtype, layer.angles.grad.dtype) == (dtype, torch.float32)


def test_autocast_in_compiled_and_traced_functions() -> None:
    x = vectors("angles alone", torch.bfloat16, 3, 5)
    angles = draw("angles alone", torch.float32)["angles"]

    def rotate(x, angles):
        return givens.torch.rotate(x, angles, SCHEDULE)

    expected = rotate(x.float(), angles)
    compiled = torch.compile(rotate, fullgraph=True, backend="aot_eager")
    traced = torch.fx.symbolic_trace(rotate)
    for f in (rotate, compiled, traced):
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(f(x, angles), expected)


def test_what_has_no_meaning_is_refused_with_the_dtype() -> None:
    angles = torch.zeros(SCHEDULE.num_rotations)
    for dtype in (torch.int64, torch.bool):
        name = str(dtype).removeprefix("torch.")
        with pytest.raises(TypeError, match=f"x must be .* got {name}"):
            givens.torch.rotate(torch.zeros(2, 5).to(dtype), angles, SCHEDULE)
        with pytest.raises(TypeError, match=f"angles must be .* got {name}"):
            givens.torch.matrix(angles.to(dtype), SCHEDULE)
    with pytest.raises(TypeError, match="float64"):
        givens.torch.rotate(torch.zeros(2, 5, dtype=torch.float64), angles.bfloat16(), SCHEDULE)
