"""What PyTorch's own parametrization promises, for every kind of weight and schedule."""

import copy
import time

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from givens import Schedule
from givens.torch import orthogonal

SHAPES = [(1, 1), (2, 2), (4, 4), (6, 3), (3, 6), (2, 5, 4), (2, 4, 4), (3, 2, 2, 3)]
DTYPES = [torch.float32, torch.float64, torch.complex64, torch.complex128]
# With a base the complete schedules, without one those whose angles are known.
KINDS = [
    {},
    {"schedule": "xor"},
    {"schedule": "circle"},
    {"schedule": "team"},
    {"schedule": "brickwall", "base": True},
    {"schedule": "wavefront", "base": True},
    {"schedule": "butterfly"},
    {"base": False},
    {"schedule": "brickwall"},
    {"schedule": "wavefront"},
]


class Weight(nn.Module):
    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape, dtype=dtype))


def q_factor(W: torch.Tensor) -> torch.Tensor:
    """Return Q of W = Q R with a positive diagonal of R, or its transpose if W is wide."""
    if W.shape[-2] < W.shape[-1]:
        return q_factor(W.mT).mT
    Q, R = torch.linalg.qr(W.to(torch.complex128 if W.is_complex() else torch.float64))
    return Q * R.diagonal(dim1=-2, dim2=-1).sgn()[..., None, :]


def bound(W: torch.Tensor) -> float:
    """Bound errors: of rotations in up to 2 n rounds, 8 eps each, and as much for the base."""
    return 32 * (max(W.shape[-2:]) + 1) * torch.finfo(W.dtype).eps


def assert_orthogonal(W: torch.Tensor) -> None:
    G = W.mH @ W if W.shape[-2] >= W.shape[-1] else W @ W.mH
    error = (G - torch.eye(G.shape[-1], dtype=G.dtype)).abs().max()
    assert error <= 2 * bound(W)


def assert_near(W: torch.Tensor, wanted: torch.Tensor) -> None:
    assert W.dtype == wanted.dtype or wanted.dtype in (torch.float64, torch.complex128)
    assert (W - wanted).abs().max() <= bound(W)


def keywords_for(kind: dict, shape: tuple[int, ...]) -> dict:
    if kind.get("schedule") != "team":
        return kind
    return {"schedule": Schedule.team(max(shape[-2:]), 2)}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_promise(shape: tuple[int, ...], kind: dict, dtype: torch.dtype) -> None:
    torch.manual_seed(sum(shape))
    module = Weight(shape, dtype)
    before = module.weight.detach().clone()
    orthogonal(module, **keywords_for(kind, shape))
    # Registration keeps Q of the weight.
    assert (module.weight.shape, module.weight.dtype) == (before.shape, dtype)
    assert_near(module.weight, q_factor(before))
    # Steps stay orthogonal, and move the weight.
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    goal = torch.randn(shape, dtype=dtype)
    for _ in range(3):
        first = module.weight.detach().clone()
        optimizer.zero_grad()
        (module.weight - goal).abs().pow(2).sum().backward()
        optimizer.step()
        assert_orthogonal(module.weight)
        # Real matrices of order one cannot be rotated.
        assert dtype.is_complex or shape[-1] == 1 or not torch.equal(module.weight, first)
    # Assigning an orthogonal matrix keeps it: of either determinant.
    target = q_factor(goal).to(dtype)
    module.weight = target
    assert_near(module.weight, target)
    turned = target.clone()
    turned[..., 0, :] *= -1
    module.weight = turned
    assert_near(module.weight, turned)
    # Assigning any matrix takes its Q.
    other = torch.randn(shape, dtype=dtype)
    module.weight = other
    assert_near(module.weight, q_factor(other))
    zero = torch.zeros(shape, dtype=dtype)
    module.weight = zero
    assert_orthogonal(module.weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64], ids=str)
@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (2, 5, 4)], ids=str)
def test_first_weights_are_pytorchs(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    ours, theirs = Weight(shape, dtype), Weight(shape, dtype)
    theirs.load_state_dict(ours.state_dict())
    theirs = parametrizations.orthogonal(theirs)
    torch.testing.assert_close(orthogonal(ours).weight, theirs.weight)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
@pytest.mark.parametrize(("n", "m"), [(5, 5), (7, 3), (4, 1)])
def test_angles_turn_a_base_in_every_direction(n: int, m: int, dtype: torch.dtype) -> None:
    """The derivative at the base has as many dimensions as its rotations can have there."""
    made = orthogonal(Weight((n, m), dtype)).parametrizations.weight
    values = tuple(p.detach() for p in made.parameters())
    jacobians = torch.func.jacrev(
        lambda *p: torch.view_as_real(made[0](*p)) if dtype.is_complex else made[0](*p),
        argnums=tuple(range(len(values))),
    )(*values)
    rows = torch.cat([j.flatten(0, -2) for j in jacobians], dim=-1)
    rank = torch.linalg.matrix_rank(rows)
    pairs = n * m - m * (m + 1) // 2
    # A phase turns nothing at first; the diagonal turns the m columns.
    assert rank == (pairs + m if dtype.is_complex else pairs)


@pytest.mark.parametrize("shape", [(4096, 64), (64, 4096)], ids=str)
def test_tall_and_wide_weights_have_the_dimension_of_their_manifold(shape) -> None:
    layer = nn.Linear(shape[1], shape[0], bias=False)
    start = time.perf_counter()
    orthogonal(layer)
    took = time.perf_counter() - start
    n, m = max(shape), min(shape)
    assert sum(p.numel() for p in layer.parameters()) == n * m - m * (m + 1) // 2
    # No n x n matrix is kept.
    assert sum(b.numel() for b in layer.buffers()) <= n * m + m * m + n
    assert took < 2
    layer.weight.pow(3).sum().backward()
    assert_orthogonal(layer.weight)


@pytest.mark.parametrize("kind", [{}, {"base": False}], ids=str)
@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6)], ids=str)
def test_the_weight_may_be_changed_in_place(shape, kind: dict) -> None:
    module = orthogonal(Weight(shape, torch.float64), **kind)
    angles = module.parametrizations.weight.original0
    c = torch.randn(shape, dtype=torch.float64)
    (g,) = torch.autograd.grad((module.weight.mul_(2) * c).sum(), angles)
    (wanted,) = torch.autograd.grad((module.weight * 2 * c).sum(), angles)
    torch.testing.assert_close(g, wanted)


def test_decay_pulls_to_the_base_or_to_the_identity() -> None:
    for keywords, moves in (({}, False), ({"base": False}, True)):
        torch.manual_seed(0)
        for layer in (nn.Linear(6, 6), nn.Linear(3, 6)):
            orthogonal(layer, **keywords)
            before = layer.weight.detach().clone()
            optimizer = torch.optim.AdamW(layer.parameters(), lr=0.01, weight_decay=0.1)
            for _ in range(100):
                optimizer.zero_grad()
                (layer(torch.randn(2, layer.in_features)) * 0).sum().backward()
                optimizer.step()
            assert torch.equal(layer.weight, before) != moves


def test_first_weights_of_each_kind() -> None:
    for keywords in ({}, {"base": False}, {"schedule": "circle"}):
        for module in (nn.Linear(4, 4), nn.Linear(3, 5), nn.Linear(5, 3)):
            rows, columns = module.weight.shape
            eye = torch.eye(rows, columns)
            identity = orthogonal(copy.deepcopy(module), init="identity", **keywords)
            assert torch.equal(identity.weight, eye)
            small = orthogonal(copy.deepcopy(module), init="small", **keywords)
            assert 0 < (small.weight - eye).abs().max() < 0.1
            haar = orthogonal(copy.deepcopy(module), init="haar", **keywords)
            assert_orthogonal(haar.weight)
            assert (haar.weight - eye).abs().max() > 0.1


# --- 16 bits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("kind", [{}, {"base": False}, {"schedule": "circle"}], ids=str)
@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6)], ids=str)
def test_16_bits(shape: tuple[int, int], kind: dict, dtype: torch.dtype) -> None:
    rows, columns = shape
    layer = orthogonal(nn.Linear(columns, rows), **kind)
    exact = layer.weight.detach().clone()
    layer.to(dtype)
    assert layer.bias.dtype == dtype
    assert torch.equal(layer.weight, exact.to(dtype))  # the angles are what they were
    assert {p.dtype for p in layer.parametrizations.parameters()} == {torch.float32}
    assert layer(torch.randn(2, columns, dtype=dtype)).dtype == dtype
    layer.weight.float().pow(3).sum().backward()
    torch.optim.SGD(layer.parameters(), 0.1).step()
    assert not torch.equal(layer.weight, exact.to(dtype))
    assert layer.float().weight.dtype == torch.float32
    assert_orthogonal(layer.weight)
    # A layer that has 16 bits from the first.
    small = orthogonal(nn.Linear(columns, rows, dtype=dtype), **kind)
    assert small.weight.dtype == dtype
    assert small.half().weight.dtype == torch.float16
    small.weight = exact
    assert torch.equal(small.weight, exact.half()) or kind  # exact angles round
    assert torch.allclose(small.weight.float(), exact, atol=1e-3)


def test_precision_follows_the_module() -> None:
    layer = orthogonal(nn.Linear(4, 4)).double()
    assert layer.weight.dtype == torch.float64
    assert {p.dtype for p in layer.parameters()} == {torch.float64}
    unitary = orthogonal(nn.Linear(4, 4, dtype=torch.complex64))
    with pytest.warns(UserWarning, match="Complex modules are a new feature"):
        unitary.to(torch.complex128)
    assert unitary.weight.dtype == torch.complex128
    assert unitary(torch.randn(2, 4, dtype=torch.complex128)).dtype == torch.complex128


def test_autocast_leaves_the_weight_orthogonal() -> None:
    for module in (nn.Linear(4, 4), nn.Linear(3, 6)):
        layer = orthogonal(module)
        with torch.autocast("cpu", torch.bfloat16):
            weight = layer.weight
            assert weight.dtype == torch.float32
            assert layer(torch.randn(2, layer.in_features)).dtype == torch.bfloat16
        assert_orthogonal(weight)


# --- Without numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*KINDS[:3], *KINDS[-3:]], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("size", [(4, 4), (3, 6)], ids=str)
def test_models_are_made_without_numbers_and_filled(size, dtype, kind: dict) -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with torch.device("meta"):
        layer = orthogonal(nn.Linear(*size, dtype=dtype), **kind)
    assert all(t.is_meta for t in layer.state_dict().values() if t.dtype != torch.uint8)
    assert layer.weight.is_meta
    layer.to_empty(device="cpu")
    for module in layer.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    if dtype != torch.bfloat16:
        assert_orthogonal(layer.weight)
    assert (layer.weight - torch.eye(*layer.weight.shape)).abs().max() > 0.1
    # Or loaded.
    with torch.device("meta"):
        other = orthogonal(nn.Linear(*size, dtype=dtype), **kind)
    other.load_state_dict(layer.state_dict(), assign=True)
    assert torch.equal(other.weight, layer.weight)
    with FakeTensorMode():
        fake = orthogonal(nn.Linear(*size, dtype=dtype), **kind)
        assert fake.weight.shape == size[::-1]
        fake.weight = torch.empty_like(fake.weight)


# --- State ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (2, 4, 4)], ids=str)
def test_states_are_loaded(shape, kind: dict, dtype) -> None:
    keywords = keywords_for(kind, shape)
    saved, other = (orthogonal(Weight(shape, dtype), **keywords) for _ in range(2))
    with torch.no_grad():
        for p in saved.parameters():
            p.normal_()
    other.load_state_dict(saved.state_dict())
    assert torch.equal(other.weight, saved.weight)
    # A plain weight.
    plain = Weight(shape, dtype)
    other.load_state_dict(plain.state_dict())
    assert_near(other.weight, q_factor(plain.weight.detach()))
    model = nn.Sequential(nn.ReLU(), saved)
    model.load_state_dict({"1.weight": plain.weight.detach()})
    assert_near(saved.weight, q_factor(plain.weight.detach()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kind", [{}, {"base": False}], ids=str)
def test_assigned_states_bring_their_dtype(kind: dict, dtype: torch.dtype) -> None:
    for made in (nn.Linear(3, 5, dtype=dtype), orthogonal(nn.Linear(3, 5, dtype=dtype), **kind)):
        for device in ("cpu", "meta"):
            with torch.device(device):
                other = orthogonal(nn.Linear(3, 5), **kind)
            other.load_state_dict(made.state_dict(), assign=True)
            assert other.weight.dtype == dtype
            assert other(torch.randn(2, 3).to(dtype)).dtype == dtype
            wanted = made.weight.detach().float()
            if type(made) is nn.Linear:
                wanted = q_factor(wanted)
            assert torch.allclose(other.weight.float(), wanted.float(), atol=2**-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64], ids=str)
def test_states_of_other_schedules_are_refused(dtype) -> None:
    def make(shape, **keywords) -> nn.Module:
        return orthogonal(Weight(shape, dtype), **keywords)

    for own, other, names in (
        ({"schedule": "xor"}, {"schedule": "circle"}, ("xor", "circle")),
        ({"schedule": "brickwall"}, {"schedule": "wavefront"}, ("brickwall", "wavefront")),
        ({"schedule": "xor"}, {"schedule": "brickwall"}, ("xor", "brickwall")),
    ):
        module = make((4, 4), **own)
        before = module.weight.detach().clone()
        with pytest.raises(
            ValueError, match=rf"schedule Schedule.{names[0]}.*got one of Schedule.{names[1]}"
        ):
            module.load_state_dict(make((4, 4), **other).state_dict())
        assert torch.equal(module.weight, before)
    with pytest.raises(ValueError, match="the state must have base True as the module, got False"):
        make((4, 4)).load_state_dict(make((4, 4), schedule="xor", base=False).state_dict())
    with pytest.raises(ValueError, match=r"must have shape \[3, 4\] as the module, got \[4, 3\]"):
        make((3, 4)).load_state_dict(make((4, 3)).state_dict())
    with pytest.raises(ValueError, match=r"the weight must have shape \(3, 4\), got shape \(4, 3"):
        make((3, 4)).load_state_dict({"weight": torch.zeros(4, 3, dtype=dtype)})


# --- Parametrizations upon others ----------------------------------------------------------------


@pytest.mark.parametrize(
    "first", [orthogonal, parametrizations.spectral_norm, parametrizations.weight_norm]
)
def test_a_weight_is_parametrized_once(first) -> None:
    layer = first(nn.Linear(3, 3))
    with pytest.raises(ValueError, match="that is parametrized already, by _"):
        orthogonal(layer)


def test_further_parametrizations_come_after_it() -> None:
    class Double(nn.Module):
        def forward(self, W: torch.Tensor) -> torch.Tensor:
            return 2 * W

        def right_inverse(self, W: torch.Tensor) -> torch.Tensor:
            return W / 2

    layer = orthogonal(nn.Linear(3, 3))
    before = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Double())
    torch.testing.assert_close(layer.weight, 2 * before)
    layer.weight = torch.eye(3) * 2
    torch.testing.assert_close(layer.weight, torch.eye(3) * 2)


@pytest.mark.parametrize("second", [parametrizations.weight_norm, parametrizations.orthogonal])
def test_others_that_cannot_follow_it_are_refused(second) -> None:
    layer = orthogonal(nn.Linear(3, 3))
    with pytest.raises(ValueError, match="cannot be registered upon another parametrization"):
        second(layer)
    assert_orthogonal(layer.weight)


def test_a_tied_weight_is_refused() -> None:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    with pytest.raises(ValueError, match="that is tied: it is also 'weight' of Linear"):
        orthogonal(first)
    assert second.weight is first.weight
    # Nor may it be a parameter twice in one module.
    module = Weight((3, 3), torch.float32)
    module.other = module.weight
    with pytest.raises(ValueError, match="that is tied: it is also 'other' of Weight"):
        orthogonal(module)
    # As the message says.
    first.weight = nn.Parameter(first.weight.detach().clone())
    assert_orthogonal(orthogonal(first).weight)
    # Those who only look at it do not count.
    held = nn.Linear(4, 4)
    optimizer = torch.optim.SGD(held.parameters(), 0.1)
    assert_orthogonal(orthogonal(held).weight)
    assert optimizer.param_groups


def test_parametrizations_are_removed() -> None:
    layer = orthogonal(nn.Linear(4, 4))
    with pytest.raises(ValueError, match="leave_parametrized=False"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    weight = layer.weight.detach().clone()
    parametrize.remove_parametrizations(layer, "weight")
    assert torch.equal(layer.weight, weight)
    plain = nn.Linear(4, 4)
    layer.load_state_dict(plain.state_dict())
    assert torch.equal(layer.weight, plain.weight)


def test_a_recurrent_network_computes_with_the_weight() -> None:
    torch.manual_seed(0)
    rnn = orthogonal(nn.RNN(3, 5), "weight_hh_l0")
    x = torch.randn(4, 2, 3)
    y, _ = rnn(x)
    plain = nn.RNN(3, 5)
    plain.load_state_dict(
        {name: getattr(rnn, name).detach().clone() for name in plain.state_dict()}
    )
    torch.testing.assert_close(y, plain(x)[0])
    y.sum().backward()
    assert rnn.parametrizations.weight_hh_l0.original0.grad.abs().max() > 0
