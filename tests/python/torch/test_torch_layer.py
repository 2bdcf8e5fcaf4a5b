"""The layer `Orthogonal`: results do not depend on the number of vectors; its options."""

import copy

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad
from torch.utils._python_dispatch import TorchDispatchMode

from givens import Schedule
from givens.torch import Orthogonal, _operator, _plain

MAKES = {
    "plain": lambda **k: Orthogonal(8, **k),
    "frame": lambda **k: Orthogonal(8, 5, **k),
    "bias": lambda **k: Orthogonal(8, bias=True, **k),
    "blocks": lambda **k: Orthogonal(8, blocks=2, **k),
    "blocks of frames": lambda **k: Orthogonal(8, 4, blocks=2, bias=True, **k),
    "base": lambda **k: Orthogonal(8, base=True, init="haar", **k),
    "base of a frame": lambda **k: Orthogonal(8, 3, base=True, init="haar", **k),
    "base of blocks": lambda **k: Orthogonal(8, 4, blocks=2, base=True, init="haar", **k),
    "wavefront": lambda **k: Orthogonal(8, 3, schedule="wavefront", init="haar", **k),
    "brickwall": lambda **k: Orthogonal(8, schedule="brickwall", init="haar", **k),
}
MANY = 100  # vectors: U is formed for them


def wide(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def moved(layer: Orthogonal) -> Orthogonal:
    """Return a layer whose parameters are random."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in layer.parameters():
            p.normal_(generator=generator)
    return layer


# --- The number of vectors -----------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.parametrize(
    ("module", "vectors"),
    [
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
        (torch.complex64, torch.complex64),
        (torch.complex128, torch.complex128),
        (torch.float32, torch.bfloat16),
        (torch.float32, torch.float16),
        (torch.bfloat16, torch.bfloat16),
        (torch.float16, torch.float16),
    ],
    ids=str,
)
def test_every_number_of_vectors_gives_the_same(make, module, vectors) -> None:
    field = "complex" if module.is_complex else "real"
    layer = moved(make(field=field, dtype=module.to_real() if module.is_complex else module))
    x = torch.randn(MANY, layer.columns, dtype=wide(vectors)).to(vectors)
    if layer.height == 8 and not vectors.is_complex:
        assert (layer._rotates(x[:2]), layer._rotates(x)) == (True, False)
    with torch.no_grad():
        U = layer._form() if layer.blocks is None else torch.block_diag(*layer._form())
        exact = x.to(wide(vectors)) @ U.mT
        if layer.bias is not None:
            exact = exact + layer.bias
    y = layer(x)
    assert y.dtype == vectors
    bound = 32 * (layer.n + 1) * torch.finfo(wide(vectors)).eps * exact.abs().max()
    bound += torch.finfo(vectors).eps * exact.abs().max() * (vectors != wide(vectors))
    assert (y.to(exact.dtype) - exact).abs().max() <= bound
    for rows in (1, 2, 33):
        few = layer(x[:rows])
        assert few.dtype == vectors
        assert (few - y[:rows]).abs().max() <= bound
    one = layer(x[0])
    assert (one.dtype, one.shape) == (vectors, (layer.n,))
    assert layer(x[:0]).shape == (0, layer.n)
    assert layer(x.reshape(2, MANY // 2, -1)).shape == (2, MANY // 2, layer.n)


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_autocast_gives_its_dtype(make, dtype) -> None:
    layer = moved(make())
    x = torch.randn(MANY, layer.columns).to(dtype)
    exact = layer(x.float()).detach()
    for rows in (2, MANY):
        with torch.autocast("cpu", torch.bfloat16):
            y = layer(x[:rows])
        assert y.dtype == torch.bfloat16
        assert torch.allclose(y.float(), exact[:rows], rtol=2**-7, atol=1e-4)
        y.float().sum().backward()


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.parametrize("field", ["real", "complex"])
@pytest.mark.parametrize("rows", [1, 2, MANY])
def test_the_result_may_be_changed_in_place(make, field: str, rows: int) -> None:
    layer = moved(make(field=field, dtype=torch.float64))
    dtype = torch.complex128 if field == "complex" else torch.float64
    x = torch.randn(rows, layer.columns, dtype=dtype, requires_grad=True)
    gradients = []
    for change in (lambda y: y.mul_(2), lambda y: y * 2):
        y = change(layer(x))
        gradients.append(torch.autograd.grad(y.abs().pow(3).sum(), [x, *layer.parameters()]))
    for g, wanted in zip(*gradients, strict=True):
        torch.testing.assert_close(g, wanted)
    layer.weight.mul_(2).abs().sum().backward()
    back = torch.randn(rows, layer.n, dtype=dtype, requires_grad=True)
    layer.inverse(back).mul_(2).abs().sum().backward()


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.parametrize("rows", [2, MANY])
def test_second_derivatives(make, rows: int) -> None:
    layer = moved(make(dtype=torch.float64))
    x = torch.randn(rows, layer.columns, dtype=torch.float64, requires_grad=True)
    U = layer.weight
    shift = 0 if layer.bias is None else layer.bias
    found = []
    for y in (layer(x), x @ U.mT + shift):
        # The gradient by the angles depends on x through the result too.
        gradients = torch.autograd.grad(y.pow(3).sum(), [x, layer.angles], create_graph=True)
        total = sum(g.pow(2).sum() for g in gradients)
        found.append(torch.autograd.grad(total, [x, layer.angles]))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


class Counts(TorchDispatchMode):
    """A mode that counts the operators of this package."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.namespace == "givens":
            self.names.append(func.name())
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("make", [MAKES["plain"], MAKES["bias"], MAKES["brickwall"]])
def test_tensors_that_are_not_plain(make) -> None:
    """Gradients that are negated when read, batched or with tangents, and vectors with tangents."""
    layer = moved(make(dtype=torch.float64))
    inputs = [torch.randn(2, 8, dtype=torch.float64, requires_grad=True), layer.angles]
    x, _ = inputs
    shift = 0 if layer.bias is None else layer.bias
    negated = torch.randn(2, 8, dtype=torch.complex128).conj().imag
    several = torch.randn(3, 2, 8, dtype=torch.float64)
    tangent = torch.randn(2, 8, dtype=torch.float64)
    found = []
    for call in (layer, lambda x: x @ layer.weight.mT + shift):
        results = [*torch.autograd.grad(call(x), inputs, negated)]
        results += torch.autograd.grad(call(x), inputs, several, is_grads_batched=True)
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(several[0], tangent)
            gradients = torch.autograd.grad(call(x), inputs, dual)
            results += [forward_ad.unpack_dual(g).tangent for g in gradients]
            results += forward_ad.unpack_dual(call(forward_ad.make_dual(x.detach(), tangent)))
        found.append(results)
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


def test_modes_see_the_operators() -> None:
    layer, x = moved(Orthogonal(8)), torch.randn(2, 8, requires_grad=True)
    with Counts() as forward:
        y = layer(x)
    assert forward.names == ["givens::rotate"]
    for result in (y, layer(x)):
        with Counts() as backward:
            result.sum().backward()
        assert backward.names == ["givens::rotate_vjp"]


def test_a_pytorch_that_does_not_tell_of_modes(monkeypatch) -> None:
    layer, x = moved(Orthogonal(8)), torch.randn(2, 8, requires_grad=True)
    inputs = [x, layer.angles]
    found = [torch.autograd.grad(layer(x).pow(2).sum(), inputs)]
    for module in (_operator, _plain):
        monkeypatch.setattr(module, "is_in_mode", lambda: True)
    found.append(torch.autograd.grad(layer(x).pow(2).sum(), inputs))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ("layer", "dtype", "message"),
    [
        (Orthogonal(4), torch.float64, "x must be float32, bfloat16 or float16, got float64"),
        (Orthogonal(4), torch.int64, "x must be float32, bfloat16 or float16, got int64"),
        (Orthogonal(4), torch.complex64, "x must be float32, .* got complex64"),
        (Orthogonal(4, field="complex"), torch.float32, "x must be complex64, got float32"),
        (Orthogonal(4, dtype=torch.float64), torch.float16, "x must be float64, got float16"),
    ],
)
def test_vectors_of_other_dtypes_are_refused(layer, dtype, message: str) -> None:
    for rows in (1, MANY):
        x = torch.zeros(rows, 4, dtype=dtype)
        for compute in (layer, layer.inverse):
            with pytest.raises(TypeError, match=message):
                compute(x)


# --- Options -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.parametrize("field", ["real", "complex"])
@pytest.mark.parametrize("rows", [2, MANY])
def test_the_inverse(make, field: str, rows: int) -> None:
    layer = moved(make(field=field, dtype=torch.float64))
    dtype = torch.complex128 if field == "complex" else torch.float64
    x = torch.randn(rows, layer.columns, dtype=dtype)
    torch.testing.assert_close(layer.inverse(layer(x)), x)
    there_and_back = nn.Sequential(layer, layer.inverse())
    torch.testing.assert_close(there_and_back(x), x)
    assert len(list(there_and_back.parameters())) == len(list(layer.parameters()))
    assert there_and_back[1].inverse() is layer
    y = torch.randn(rows, layer.n, dtype=dtype)
    shift = 0 if layer.bias is None else layer.bias
    torch.testing.assert_close(layer.inverse(y), (y - shift) @ layer.weight.conj())


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.parametrize("field", ["real", "complex"])
def test_fold(make, field: str) -> None:
    layer = moved(make(field=field)).eval()
    linear = layer.fold()
    x = torch.randn(5, layer.columns, dtype=layer.weight.dtype)
    assert type(linear) is nn.Linear
    assert not linear.training
    torch.testing.assert_close(linear(x), layer(x))
    y = torch.randn(5, layer.n, dtype=layer.weight.dtype)
    torch.testing.assert_close(layer.inverse().fold()(y), layer.inverse(y))


def test_blocks() -> None:
    layer = moved(Orthogonal(12, 6, blocks=3))
    assert layer.angles.shape == (3, Schedule.xor(4, columns=2).num_rotations)
    W = layer.weight
    assert torch.equal(W, torch.block_diag(W[:4, :2], W[4:8, 2:4], W[8:, 4:]))
    torch.testing.assert_close(W.T @ W, torch.eye(6))
    with pytest.raises(ValueError, match="the weight must be block-diagonal, of 2 blocks, got"):
        Orthogonal(4, blocks=2, init=torch.ones(4, 4))


def test_signs_make_the_determinant() -> None:
    layer = moved(Orthogonal(5, signs=[1, -1, 1, 1, 1]))
    torch.testing.assert_close(torch.linalg.det(layer.weight), torch.tensor(-1.0))
    x = torch.randn(MANY, 5)
    torch.testing.assert_close(layer(x[:2]), layer(x)[:2])
    layer.to_empty(device="cpu").reset_parameters()
    torch.testing.assert_close(torch.linalg.det(layer.weight), torch.tensor(-1.0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    "keywords",
    [{}, {"schedule": "circle"}, {"schedule": "brickwall"}, {"schedule": "wavefront"}],
    ids=str,
)
@pytest.mark.parametrize(("columns", "blocks"), [(6, None), (4, None), (6, 2), (4, 2)])
def test_a_layer_starts_from_a_matrix(columns: int, blocks, keywords: dict, dtype) -> None:
    count = blocks or 1
    parts = [
        torch.linalg.qr(torch.randn(6 // count, columns // count, dtype=wide(dtype)))[0]
        for _ in range(count)
    ]
    W = torch.block_diag(*parts)
    options = keywords | {
        "blocks": blocks,
        "field": "complex" if dtype.is_complex else "real",
        "dtype": wide(dtype).to_real() if dtype.is_complex else dtype,
    }
    layer = Orthogonal(6, columns, init=W, **options)
    eps = torch.finfo(dtype).eps
    assert (layer.weight.to(W.dtype) - W).abs().max() <= 64 * 7 * torch.finfo(wide(dtype)).eps + eps
    # Assign, and load a plain weight.
    eye = torch.block_diag(*[torch.eye(6 // count, columns // count, dtype=wide(dtype))] * count)
    layer.weight = 2 * eye
    assert torch.equal(layer.weight, eye.to(dtype))
    layer.weight = nn.Parameter(W)
    with torch.device("meta"):
        other = Orthogonal(6, columns, base=keywords.get("schedule") in (None, "circle"), **options)
    other.load_state_dict({"weight": layer.weight.detach()}, assign=True)
    assert torch.allclose(other.weight, layer.weight, atol=max(1e-5, eps))
    layer.load_state_dict({"weight": W})
    assert (layer.weight.to(W.dtype) - W).abs().max() <= 64 * 7 * torch.finfo(wide(dtype)).eps + eps
    layer.reset_parameters()
    assert (layer.weight.to(W.dtype) - W).abs().max() > 0.01


def test_a_layer_without_a_base_cannot_be_assigned() -> None:
    layer = Orthogonal(4)
    with pytest.raises(NotImplementedError, match=r"if there is a base \(base=True\)"):
        layer.weight = torch.eye(4)
    with pytest.raises(NotImplementedError, match=r"if there is a base \(base=True\)"):
        layer.load_state_dict({"weight": torch.eye(4)})


def test_haar_of_the_wavefront() -> None:
    """For matrices of SO(4) and U(4): E tr^2 is 1 and 0, E |tr|^2 is 1; the variance is 2 and 1."""
    torch.manual_seed(0)
    from givens import matrix
    from givens.torch._initial import fill

    draws = 20_000
    s = Schedule.wavefront(4)
    angles = torch.empty(draws, 6, dtype=torch.float64)
    fill((angles, None, None), "haar", s)
    trace = torch.from_numpy(matrix(angles.numpy(), s)).diagonal(dim1=-2, dim2=-1).sum(-1)
    assert abs(trace.pow(2).mean() - 1) < 5 * 2 / draws**0.5
    phases, diagonal = torch.empty_like(angles), torch.empty(draws, 4, dtype=torch.float64)
    fill((angles, phases, diagonal), "haar", s)
    U = matrix(angles.numpy(), s, phases=phases.numpy(), diagonal=diagonal.numpy())
    trace = torch.from_numpy(U).diagonal(dim1=-2, dim2=-1).sum(-1)
    assert abs(trace.abs().pow(2).mean() - 1) < 5 * 1.5 / draws**0.5
    assert abs(trace.pow(2).mean()) < 5 * 1.5 / draws**0.5


# --- State, devices, dtypes ----------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.parametrize("field", ["real", "complex"])
def test_layers_are_copied_saved_and_made_without_numbers(make, field: str) -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    layer = moved(make(field=field))
    assert torch.equal(copy.deepcopy(layer).weight, layer.weight)
    other = make(field=field)
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other.weight, layer.weight)
    with torch.device("meta"):
        empty = make(field=field)
    assert empty.weight.is_meta
    empty.load_state_dict(layer.state_dict(), assign=True)
    assert torch.equal(empty.weight, layer.weight)
    with torch.device("meta"):
        empty = make(field=field)
    empty.to_empty(device="cpu").reset_parameters()
    W = empty.weight
    torch.testing.assert_close(W.mH @ W, torch.eye(W.shape[1], dtype=W.dtype))
    with FakeTensorMode():
        fake = make(field=field)
        x = torch.empty(3, fake.columns, dtype=fake.weight.dtype)
        assert fake(x).shape == (3, fake.n)


def test_states_of_other_schedules_are_refused() -> None:
    for field in ("real", "complex"):
        layer = Orthogonal(8, field=field)
        before = layer.weight.detach().clone()
        state = moved(Orthogonal(8, schedule="circle", field=field)).state_dict()
        with pytest.raises(ValueError, match=r"schedule Schedule.xor\(8\), got one of .*circle\(8"):
            layer.load_state_dict(state)
        assert torch.equal(layer.weight, before)
    narrow = Orthogonal(8, 3, schedule="butterfly").state_dict()
    with pytest.raises(ValueError, match=r"must have shape \[8, 4\] as the module, got \[8, 3\]"):
        Orthogonal(8, 4, schedule="butterfly").load_state_dict(narrow)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_angles_keep_single_precision(dtype) -> None:
    layer = moved(Orthogonal(6, bias=True))
    exact = layer.weight.detach().clone()
    model = nn.Sequential(nn.Linear(6, 6), layer).to(dtype)
    assert layer.angles.dtype == torch.float32
    assert torch.equal(layer.weight, exact.to(dtype))
    assert model(torch.randn(2, 6, dtype=dtype)).dtype == dtype
    assert layer.fold().weight.dtype == dtype
    assert torch.equal(model.float()[1].weight, exact)
    # Angles of 16 bits too, as mixed precision makes them of parameters in a forward pass.
    y = torch.func.functional_call(
        layer, {"angles": layer.angles.to(dtype)}, torch.randn(2, 6, dtype=dtype)
    )
    assert y.dtype == dtype
    y.float().sum().backward()
    assert layer.angles.grad.dtype == torch.float32
    assert Orthogonal(6, dtype=dtype).weight.dtype == dtype
