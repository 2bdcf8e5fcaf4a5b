"""`givens.torch.matrix` and `rotate`: values, derivatives in both modes, transforms, compilation.

Compilation uses the backend aot_eager: what this package adds is seen by it, and inductor only adds
minutes of compilation of PyTorch's own operations.
"""

import functools
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from torch import func

import givens
import givens.torch
from cases import OPTIONS, SCHEDULES, Case
from givens import Schedule
from givens.torch import _kernels, _operators, _rounds
from givens.torch._schedules import described, schedule_of


class TensorCase:
    """A schedule, vectors and parameters, as tensors in double precision."""

    def __init__(self, schedule: Schedule, kind: str, shape, batches=((), ())) -> None:
        c = Case.of(schedule, kind, shape, batches=batches)
        self.schedule = schedule
        self.x = torch.from_numpy(c.x).requires_grad_()
        self.options = {name: torch.from_numpy(p) for name, p in c.parameters.items()}
        for name, p in self.options.items():
            p.requires_grad_(name != "signs")
        self.angles = self.options.pop("angles")

    @property
    def parameters(self) -> tuple[torch.Tensor, ...]:
        """The parameters that have derivatives."""
        return (self.angles, *(p for name, p in self.options.items() if name != "signs"))

    def with_parameters(self, angles, *rest):
        names = [name for name in self.options if name != "signs"]
        return {
            "angles": angles,
            "schedule": self.schedule,
            **self.options,
            **dict(zip(names, rest, strict=True)),
        }

    def rotate(self, x, *parameters, **keywords):
        return givens.torch.rotate(x, **self.with_parameters(*parameters), **keywords)

    def matrix(self, *parameters):
        return givens.torch.matrix(**self.with_parameters(*parameters))

    def arrays(self) -> dict:
        given = self.with_parameters(*self.parameters)
        return {k: v.detach().numpy() if torch.is_tensor(v) else v for k, v in given.items()}


def plain_rotation(x, angles, schedule: Schedule):
    """Rotate rows with PyTorch's own operations."""
    columns = list(x.unbind(-1))
    for k, (i, j) in enumerate(schedule.pairs.tolist()):
        c, s = torch.cos(angles[k]), torch.sin(angles[k])
        columns[i], columns[j] = c * columns[i] - s * columns[j], s * columns[i] + c * columns[j]
    return torch.stack(columns, -1)


# --- Values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("n", [0, 1, 2, 5, 16])
@pytest.mark.parametrize("name", ["circle", "xor, columns", "random rounds"])
def test_values_agree_with_the_arrays(name: str, n: int, kind: str) -> None:
    c = TensorCase(SCHEDULES[name](n), kind, (2, 3, n), batches=((2,), ()))
    for axis, x in ((-1, c.x), (1, c.x.mT), (2, c.x)):
        for inverse in (False, True):
            y = c.rotate(x, *c.parameters, axis=axis, inverse=inverse)
            expected = givens.rotate(x.detach().numpy(), axis=axis, inverse=inverse, **c.arrays())
            np.testing.assert_array_equal(y.detach().numpy(), expected)
    U = c.matrix(*c.parameters)
    np.testing.assert_array_equal(U.detach().numpy(), givens.matrix(**c.arrays()))


def test_conjugated_and_negated_tensors() -> None:
    c = TensorCase(Schedule.xor(4), "phases", (3, 4))
    y = c.rotate(c.x.conj(), *c.parameters)
    assert torch.equal(y, c.rotate(c.x.conj().resolve_conj(), *c.parameters))
    negated = c.x.detach().conj().imag
    assert negated.is_neg()
    angles = c.angles.detach().clone().requires_grad_()
    y = givens.torch.rotate(negated, angles, c.schedule)
    assert torch.equal(y, givens.torch.rotate(negated.resolve_neg(), angles, c.schedule))
    gradient = torch.autograd.grad(y, angles, negated)[0]
    assert torch.equal(
        gradient,
        torch.autograd.grad(
            givens.torch.rotate(negated, angles, c.schedule), angles, negated.resolve_neg()
        )[0],
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_single_precision(dtype) -> None:
    s = Schedule.xor(8)
    x = torch.randn(5, 8, dtype=dtype)
    angles = torch.randn(s.num_rotations)
    y = givens.torch.rotate(x, angles, s)
    assert y.dtype == dtype
    assert torch.equal(y, torch.from_numpy(givens.rotate(x.numpy(), angles.numpy(), s)))


def test_errors_come_from_the_core() -> None:
    s = Schedule.xor(4)
    angles = torch.zeros(6)
    with pytest.raises(ValueError, match="angles must have 6 entries"):
        givens.torch.matrix(torch.zeros(5), s)
    with pytest.raises(ValueError, match=r"axis must be between -2 and 1 for x .* got 2"):
        givens.torch.rotate(torch.zeros(3, 4), angles, s, axis=2)
    with pytest.raises(
        TypeError, match="x must be float16, bfloat16, float32 or complex64 with float32 angles"
    ):
        givens.torch.rotate(torch.zeros(3, 4, dtype=torch.float64), angles, s)
    with pytest.raises(TypeError, match=r"x must be float16.* or complex128, got int64"):
        givens.torch.rotate(torch.zeros(3, 4, dtype=torch.int64), angles, s)
    with pytest.raises(TypeError, match=r"schedule must be a givens\.Schedule, got str"):
        givens.torch.matrix(angles, "xor")  # type: ignore[arg-type]


def test_schedules_come_back_from_their_descriptions() -> None:
    for make in SCHEDULES.values():
        s = make(9)
        assert schedule_of(described(s)) == s


def test_rounds_are_described_in_few_characters() -> None:
    s = Schedule.blocks(Schedule.butterfly(64), 64)
    assert s.num_rotations == 12288
    text = described(s)
    assert len(text) < 1000
    # PyTorch passes on new strings. All of them stand for one object, which keeps its plan.
    assert schedule_of(text) is schedule_of(f" {text}"[1:])
    assert described(Schedule.xor(64)) == '{"kind":"xor","n":64}'
    wrong = "0" * 64 + text[64:]
    with pytest.raises(ValueError, match=f"digest of its rounds, got {'0' * 64}$"):
        schedule_of(wrong)


def test_rounds_of_an_exported_program_in_another_process(tmp_path) -> None:
    s = Schedule.blocks(Schedule.butterfly(4, passes=2), 3)
    angles, x = torch.linspace(-1, 1, s.num_rotations), torch.ones(2, 12)

    class Rotation(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return givens.torch.rotate(x, angles, s)

    program = torch.export.export(Rotation(), (x,))
    torch.export.save(program, tmp_path / "program.pt2")
    expected = givens.torch.rotate(x, angles, s).tolist()
    code = (
        "import torch, givens.torch; "
        f"program = torch.export.load({str(tmp_path / 'program.pt2')!r}).module(); "
        "print(program(torch.ones(2, 12)).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert eval(done.stdout) == expected


# --- Derivatives ---------------------------------------------------------------------------------


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("kind", OPTIONS)
def test_derivatives_of_rotate(kind: str, inverse: bool) -> None:
    c = TensorCase(Schedule.circle(3), kind, (2, 2, 3), batches=((2,), (1,)))

    def rotate(*args):
        return c.rotate(*args, inverse=inverse)

    args = (c.x, *c.parameters)
    assert torch.autograd.gradcheck(
        rotate,
        args,
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    )
    assert torch.autograd.gradgradcheck(rotate, args, check_fwd_over_rev=True)


def test_derivatives_of_vectors_that_are_repeated() -> None:
    c = TensorCase(Schedule.xor(3), "signs", (1, 2, 3), batches=((2,), ()))
    args = (c.x, *c.parameters)
    assert c.rotate(*args).shape == (2, 2, 3)
    assert torch.autograd.gradcheck(c.rotate, args, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(c.rotate, args, check_fwd_over_rev=True)


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("schedule", [Schedule.xor(3), Schedule.circle(4, columns=2)], ids=repr)
def test_derivatives_of_matrix(schedule: Schedule, kind: str) -> None:
    c = TensorCase(schedule, kind, (schedule.n,), batches=((2,), ()))
    assert torch.autograd.gradcheck(
        c.matrix, c.parameters, check_forward_ad=True, check_batched_grad=True
    )
    assert torch.autograd.gradgradcheck(c.matrix, c.parameters, check_fwd_over_rev=True)


@pytest.mark.parametrize("kind", ["angles alone", "phases and diagonal", "signs"])
def test_operators_of_gradients_have_derivatives_of_their_own(kind: str) -> None:
    # The arguments do not depend on each other here.
    c = TensorCase(Schedule.circle(3), kind, (2, 3))
    constants = (c.schedule, -1, False)
    gy = torch.randn_like(c.x).requires_grad_()
    p = c.parameters
    phases, diagonal = p[1:] if len(p) == 3 else (None, None)
    rest = (phases, diagonal, c.options.get("signs"))
    gaps = [k for k, q in enumerate(rest[:2], start=2) if q is None]

    def vjp(y, gy, angles):
        out = _operators.rotate_vjp(y, gy, angles, *rest, *constants)
        return tuple(g for k, g in enumerate(out) if k not in gaps)

    def jvp(x, dx, angles, dangles):
        return _operators.rotate_jvp(x, angles, *rest, dx, dangles, None, None, *constants)

    def matrix_vjp(gU, angles):
        U = _operators.matrix(angles, *rest, constants[0])
        return _operators.matrix_vjp(U, gU, angles, *rest, constants[0])[0]

    assert torch.autograd.gradcheck(vjp, (c.x, gy, c.angles), check_forward_ad=True)
    dangles = torch.randn_like(c.angles).requires_grad_()
    assert torch.autograd.gradcheck(jvp, (c.x, gy, c.angles, dangles))
    gU = torch.randn(3, 3, dtype=c.x.dtype).requires_grad_()
    assert torch.autograd.gradcheck(matrix_vjp, (gU, c.angles), check_forward_ad=True)


@pytest.mark.parametrize("argument", [0, 1])
def test_transforms_of_torch_func_compose(argument: int) -> None:
    s = Schedule.xor(4)
    x, angles = torch.randn(3, 4).double(), torch.randn(6).double()

    def rotate(x, angles):
        return givens.torch.rotate(x, angles, s)

    def plain(x, angles):
        return plain_rotation(x, angles, s)

    # Small products of small numbers.
    close = {"rtol": 0, "atol": 1e3 * torch.finfo(torch.float64).eps}
    for transform in (func.jacrev, func.jacfwd):
        ours, theirs = (transform(f, argnums=argument)(x, angles) for f in (rotate, plain))
        torch.testing.assert_close(ours, theirs, **close)
    for outer, inner in (
        (func.jacrev, func.jacrev),
        (func.jacrev, func.jacfwd),
        (func.jacfwd, func.jacrev),
    ):
        for second in (0, 1):

            def derivative(f, outer=outer, inner=inner, second=second):
                def loss(x, angles):
                    return f(x, angles).pow(3).sum()

                return outer(inner(loss, argnums=argument), argnums=second)(x, angles)

            torch.testing.assert_close(derivative(rotate), derivative(plain), **close)


def test_what_is_not_available_says_so() -> None:
    s = Schedule.xor(2)
    x, angles = torch.randn(2), torch.randn(1, requires_grad=True)

    def rotate(angles):
        return givens.torch.rotate(x, angles, s)

    with pytest.raises(NotImplementedError, match="no forward-mode derivatives of forward-mode"):
        func.jacfwd(func.jacfwd(rotate))(angles.detach())
    (first,) = torch.autograd.grad(rotate(angles).pow(3).sum(), angles, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), angles, create_graph=True)
    with pytest.raises(NotImplementedError, match="up to the second order only"):
        torch.autograd.grad(second.sum(), angles)


@pytest.mark.parametrize("kind", ["angles alone", "phases and diagonal", "signs"])
@pytest.mark.parametrize("batches", [((), ()), ((2,), ()), ((), (2,))])
def test_vmap_against_a_loop(batches, kind: str) -> None:
    batch = batches[0] or batches[1]
    if kind == "angles alone":
        batch = batches[0]
    c = TensorCase(Schedule.circle(3), kind, (*batch, 2, 3), batches=batches)
    args = [c.x.detach(), *(p.detach() for p in c.parameters)]
    stacks = [torch.stack([p, 2 * p, p + 1], dim=-1) for p in args]

    def loss(*args):
        return c.rotate(*args).abs().pow(3).sum()

    functions = [
        c.rotate,
        func.grad(loss, argnums=tuple(range(len(args)))),
        lambda x, *parameters: c.matrix(*parameters),
        lambda x, *parameters: func.jvp(c.rotate, (x, *parameters), (x, *parameters))[1],
        lambda *args: func.jvp(func.grad(loss), args, args)[1],
    ]
    for over in (range(len(args)), [0], range(1, len(args)), [1]):
        chosen = [k in over for k in range(len(args))]
        given = [stack if k else p for stack, p, k in zip(stacks, args, chosen, strict=True)]
        dims = tuple(-1 if k else None for k in chosen)
        for f in functions:
            if f is functions[2] and not any(chosen[1:]):
                continue
            out = func.vmap(f, dims)(*given)
            one = [
                f(*(p[..., v] if k else p for p, k in zip(given, chosen, strict=True)))
                for v in range(3)
            ]
            if isinstance(out, tuple):
                one = [torch.stack(parts) for parts in zip(*one, strict=True)]
            else:
                out, one = (out,), [torch.stack(one)]
            for a, b in zip(out, one, strict=True):
                torch.testing.assert_close(a, b)


def test_vmap_of_tangents_over_one_argument() -> None:
    f = functools.partial(givens.torch.rotate, schedule=Schedule.xor(4))
    args = (*torch.randn(2, 4), *torch.randn(2, 6))  # x, dx, angles, dangles

    def tangent(x, dx, angles, dangles):
        return func.jvp(f, (x, angles), (dx, dangles))[1]

    for k in range(4):
        both = [(*args[:k], factor * args[k], *args[k + 1 :]) for factor in (1, 2)]
        stacked = (*args[:k], torch.stack([a[k] for a in both]), *args[k + 1 :])
        out = func.vmap(tangent, tuple(0 if j == k else None for j in range(4)))(*stacked)
        torch.testing.assert_close(out, torch.stack([tangent(*a) for a in both]))


def test_vmap_twice() -> None:
    s = Schedule.xor(4)
    x, angles = torch.randn(5, 4), torch.randn(3, 6)

    def rotate(x, angles):
        return givens.torch.rotate(x, angles, s)

    y = func.vmap(func.vmap(rotate, (0, None)), (None, 0))(x, angles)
    expected = torch.stack([rotate(x, p) for p in angles])
    torch.testing.assert_close(y, expected)


# --- Compilation ---------------------------------------------------------------------------------

XOR = Schedule.xor(6)


def gradients_of(f, *args):
    leaves = [a.detach().clone().requires_grad_() for a in args]
    out = f(*leaves)
    return (out, *torch.autograd.grad(out.pow(3).sum(), leaves))


def test_compilation_as_one_graph() -> None:
    def f(x, angles):
        U = givens.torch.matrix(angles, XOR)
        return givens.torch.rotate(torch.sin(x), angles, XOR) @ U

    args = torch.randn(4, 6), torch.randn(XOR.num_rotations)
    compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
    for actual, expected in zip(gradients_of(compiled, *args), gradients_of(f, *args), strict=True):
        torch.testing.assert_close(actual, expected)
    # Another number of vectors, which then stays symbolic.
    more = torch.randn(9, 6), args[1]
    torch.testing.assert_close(compiled(*more), f(*more))


def test_transforms_in_compiled_functions() -> None:
    x, angles = torch.randn(3, 6), torch.randn(XOR.num_rotations)

    def f(angles):
        return givens.torch.rotate(x, angles, XOR) @ givens.torch.matrix(angles, XOR)

    def tangent(angles):
        return func.jvp(f, (angles,), (angles,))[1]

    def many(angles):
        return func.vmap(f)(torch.stack([angles, 2 * angles]))

    for function in (tangent, many):
        compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(angles), function(angles))


def test_vectors_are_not_kept_for_the_gradient() -> None:
    angles = torch.randn(XOR.num_rotations, requires_grad=True)
    x = torch.randn(3, 6)
    y = givens.torch.rotate(x, angles, XOR)
    kept = weakref.ref(x)
    del x
    assert kept() is None
    y.sum().backward()


def test_a_compiled_function_sees_another_schedule() -> None:
    def f(x, angles, schedule):
        return givens.torch.rotate(x, angles, schedule)

    compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
    x, angles = torch.randn(3, 6), torch.randn(XOR.num_rotations)
    for schedule in (XOR, Schedule.brickwall(6), Schedule.xor(6)):
        assert torch.equal(compiled(x, angles, schedule), f(x, angles, schedule))


@pytest.mark.parametrize("dynamic", [False, True])
def test_export(dynamic: bool) -> None:
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.angles = torch.nn.Parameter(torch.randn(XOR.num_rotations))

        def forward(self, x):
            return givens.torch.rotate(x, self.angles, XOR)

    model = Model()
    x = torch.randn(4, 6)
    shapes = ({0: torch.export.Dim("vectors")},) if dynamic else None
    exported = torch.export.export(model, (x,), dynamic_shapes=shapes)
    assert "givens.rotate" in str(exported.graph)
    torch.testing.assert_close(exported.module()(x), model(x))
    if dynamic:
        more = torch.randn(7, 6)
        torch.testing.assert_close(exported.module()(more), model(more))


# `opcheck` itself causes the warning.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("kind", ["angles alone", "phases and diagonal"])
def test_operators_keep_pytorchs_rules(kind: str) -> None:
    c = TensorCase(Schedule.xor(3), kind, (2, 3))
    p = c.parameters
    parameters = (p[0], *(p[1:] if len(p) == 3 else (None, None)), None)
    s = described(c.schedule)
    of_rotation = (s, -1, False)
    U = c.matrix(*p).detach().requires_grad_()
    frozen = [q if q is None else q.detach() for q in parameters]
    x = c.x.detach()
    for name, args in (
        ("matrix", (*parameters, s)),
        ("matrix_vjp", (U, U.detach(), *parameters, s)),
        ("rotate", (c.x, *parameters, *of_rotation)),
        ("rotate_vjp", (c.x, x, *parameters, *of_rotation)),
        ("rotate_jvp", (c.x, *parameters, x, *parameters[:3], *of_rotation)),
        # The second order has no derivatives.
        ("rotate_vjp_jvp", (x, x, *frozen, x, None, *frozen[:3], *of_rotation)),
    ):
        operator = getattr(torch.ops.givens, name).default
        torch.library.opcheck(operator, args)
        # The function that may leave out the dispatcher gives the same, but None for no gradient.
        of_function = [c.schedule if a is s else a for a in args]
        results = [operator(*args), getattr(_operators, name)(*of_function)]
        for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in results), strict=True):
            assert (b is None and a.shape == (0,)) or torch.equal(a, b)
            assert b is None or a.requires_grad == b.requires_grad


# --- Precision and devices -----------------------------------------------------------------------


def test_autocast_computes_in_single_precision() -> None:
    x = torch.randn(5, 6, dtype=torch.bfloat16, requires_grad=True)
    angles = torch.randn(XOR.num_rotations, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        y = givens.torch.rotate(x, angles, XOR)
    assert y.dtype == torch.float32
    torch.testing.assert_close(y, givens.torch.rotate(x.float(), angles, XOR))
    y.sum().backward()
    assert (x.grad.dtype, angles.grad.dtype) == (torch.bfloat16, torch.float32)


def test_shapes_without_data() -> None:
    angles = torch.empty(2, XOR.num_rotations, device="meta")
    assert givens.torch.matrix(angles, XOR).shape == (2, 6, 6)
    x = torch.empty(1, 3, 6, device="meta")
    y = givens.torch.rotate(x, angles, XOR, phases=None)
    assert (y.shape, y.device.type) == ((2, 3, 6), "meta")


def test_importing_givens_imports_no_torch_and_a_missing_one_says_what_to_install() -> None:
    code = """
import sys
import givens
assert "torch" not in sys.modules
sys.modules["torch"] = None
try:
    import givens.torch
except ModuleNotFoundError as error:
    print(error.name, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = "givens.torch needs PyTorch, which is not installed: pip install 'givens[torch]'"
    assert done.stdout.strip() == f"torch {expected}"


def test_importing_does_not_load_what_only_compilation_and_distributed_tensors_need() -> None:
    code = """
import sys
import givens.torch
for name in ("torch._dynamo", "torch._inductor", "torch.onnx", "torch.distributed.tensor"):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_tangents_of_plain_rounds_agree_with_the_engine(n: int, kind: str, inverse: bool) -> None:
    # The rounds stand in for the engine on a GPU.
    schedule = Schedule.circle(n) if n % 2 else SCHEDULES["random rounds"](n)
    for batches, shape, axis in (
        (((), ()), (3, n), -1),
        (((2,), (1,)), (2, n, 3), -2),
        (((), (2,)), (1, 4, n), -1),
    ):
        c = TensorCase(schedule, kind, shape, batches=batches)
        p = c.with_parameters(*(q.detach() for q in c.parameters))
        values = [p.get(name) for name in ("angles", "phases", "diagonal", "signs")]
        tangents = [None if q is None else torch.randn_like(q) for q in values[:3]]
        x, constants = c.x.detach(), (schedule, axis, inverse)
        dx = torch.randn_like(x)
        y, dy = _kernels.rotate_jvp(x, *values, dx, *tangents, *constants)
        gy, dgy = torch.randn_like(y), torch.randn_like(y)
        for name, args in (
            ("rotate_jvp", (x, *values, dx, *tangents, *constants)),
            ("rotate_jvp", (x, *values, None, *tangents, *constants)),
            ("rotate_vjp_jvp", (y, gy, *values, dy, dgy, *tangents, *constants)),
        ):
            ours, engines = getattr(_rounds, name)(*args), getattr(_kernels, name)(*args)
            for a, b in zip(ours, engines, strict=True):
                assert (a is None) == (b is None)
                if a is not None:
                    torch.testing.assert_close(a, b)
