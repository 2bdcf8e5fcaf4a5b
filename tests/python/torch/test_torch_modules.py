"""The layer `Orthogonal` and the parametrization `orthogonal`."""

import copy
import io

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

import givens
import givens.torch
from givens import Schedule
from givens.torch import Orthogonal, orthogonal

SCHEDULES = ["xor", "circle", "brickwall", "butterfly", "wavefront"]


def assert_orthonormal(U: torch.Tensor, rotations: int) -> None:
    """Assert that U has orthonormal columns: a round errs by less than 8 eps, as in `oracles`."""
    error = (U.mH @ U - torch.eye(U.shape[-1], dtype=U.dtype)).abs().max()
    assert error <= 2 * 8 * (rotations + 1) * torch.finfo(U.dtype).eps


def saved_and_loaded(module: nn.Module, into: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    into.load_state_dict(torch.load(file))
    return into


# --- The layer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["real", "complex"])
@pytest.mark.parametrize(("n", "columns"), [(1, 1), (2, 1), (7, None), (7, 4), (8, 8)])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_both_ways_to_compute_agree(schedule: str, n: int, columns, field: str) -> None:
    layers = [
        Orthogonal(n, columns, schedule=schedule, field=field, compute=c, dtype=torch.float64)
        for c in ("rotate", "matrix", "auto")
    ]
    for layer in layers:
        for p in layer.parameters():
            nn.init.normal_(p, generator=torch.Generator().manual_seed(3))
    U = layers[0].weight
    assert U.shape == (n, columns or n)
    assert_orthonormal(U, 2 * n)
    x = torch.randn(2, 3, U.shape[1], dtype=U.dtype)
    outputs = [layer(x) for layer in layers]
    gradients = [
        torch.autograd.grad(y.abs().pow(3).sum(), list(layer.parameters()), allow_unused=True)
        for y, layer in zip(outputs, layers, strict=True)
    ]
    for y, g in zip(outputs, gradients, strict=True):
        torch.testing.assert_close(y, x @ U.mT)
        for a, b in zip(g, gradients[0], strict=True):
            torch.testing.assert_close(a, b)


def test_the_cheaper_way_is_taken() -> None:
    layer = Orthogonal(16)
    few, many = torch.randn(4, 16), torch.randn(1000, 16)
    assert layer._rotates(few)
    assert not layer._rotates(many)
    butterfly = Orthogonal(16, schedule="butterfly")
    assert butterfly._rotates(many)  # fewer operations than a product however many there are


def test_first_parameters() -> None:
    assert torch.equal(Orthogonal(5, init="identity").weight, torch.eye(5))
    torch.manual_seed(1)
    first = Orthogonal(5, schedule="brickwall", init="haar")
    torch.manual_seed(1)
    again = Orthogonal(5, schedule="brickwall", init="haar")
    assert torch.equal(first.weight, again.weight)
    first.reset_parameters()
    assert not torch.equal(first.weight, again.weight)
    assert Orthogonal(5, dtype=torch.float64).angles.dtype == torch.float64


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"schedule": "butter"}, ValueError, "schedule must be a givens.Schedule or one of"),
        ({"schedule": Schedule.xor(5)}, ValueError, "schedule must be one of 4 coordinates and 4"),
        ({"schedule": 3}, TypeError, "schedule must be a givens.Schedule or a name, got int"),
        ({"field": "quaternion"}, ValueError, "field must be one of real, complex, got"),
        ({"compute": "fast"}, ValueError, "compute must be one of auto, rotate, matrix, got"),
        ({"init": "none"}, ValueError, "init must be one of small, identity, haar, got"),
        ({"init": "haar"}, ValueError, "schedule must have the rotations of Schedule.wavefront or"),
        ({"columns": 5}, ValueError, "columns"),
        (
            {"blocks": 3},
            ValueError,
            "blocks must divide the numbers of outputs and inputs, 4",
        ),
        ({"blocks": 0}, ValueError, "blocks must divide"),
        ({"signs": [1, 1]}, ValueError, "signs must be 4 numbers, each .1 or -1, got"),
        ({"signs": [1, 1, 1, 2]}, ValueError, "signs must be 4 numbers, each .1 or -1, got"),
        ({"signs": [1] * 4, "field": "complex"}, ValueError, "signs must come with field="),
        ({"signs": [1] * 4, "base": True}, ValueError, "signs must come with field="),
        ({"dtype": torch.int64}, TypeError, "dtype must be float16, .* or float64, got int64"),
        ({"init": torch.eye(3)}, ValueError, r"weight must have shape \(4, 4\), got shape \(3, 3"),
        ({"init": torch.eye(4) + 0j}, TypeError, "weight must be real, got complex64"),
    ],
)
def test_wrong_arguments_of_the_layer(keywords, error, message: str) -> None:
    with pytest.raises(error, match=message):
        Orthogonal(4, **keywords)


def test_wrong_vectors() -> None:
    with pytest.raises(ValueError, match="x must have 3 entries along the last axis, got shape"):
        Orthogonal(4, columns=3)(torch.zeros(2, 4))


@pytest.mark.parametrize("field", ["real", "complex"])
def test_layers_are_copied_saved_and_compiled(field: str) -> None:
    layer = Orthogonal(6, field=field, compute="rotate")
    x = torch.randn(5, 6, dtype=layer.weight.dtype)
    y = layer(x)
    assert torch.equal(copy.deepcopy(layer)(x), y)
    loaded = saved_and_loaded(layer, Orthogonal(6, field=field, compute="matrix"))
    assert torch.equal(loaded.weight, layer.weight)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), y)
    exported = torch.export.export(layer, (x,))
    torch.testing.assert_close(exported.module()(x), y)


def test_autocast() -> None:
    for compute in ("rotate", "matrix", "auto"):
        layer = Orthogonal(6, compute=compute)
        with torch.autocast("cpu", torch.bfloat16):
            y = layer(torch.randn(5, 6))
        assert y.dtype == torch.bfloat16  # as a Linear
        y.float().pow(2).sum().backward()
        assert layer.angles.grad.dtype == torch.float32


# --- The parametrization -------------------------------------------------------------------------


def gram(W: torch.Tensor) -> torch.Tensor:
    """Return W^H W, or W W^H of wide matrices."""
    return W.mH @ W if W.shape[-2] >= W.shape[-1] else W @ W.mH


def assert_orthogonal_weight(W: torch.Tensor) -> None:
    longer = max(W.shape[-2:])
    G = gram(W)
    error = (G - torch.eye(G.shape[-1], dtype=G.dtype)).abs().max()
    assert error <= 2 * 8 * (2 * longer + 1) * torch.finfo(W.dtype).eps


def _normal(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Return random numbers, in dtypes too in which PyTorch draws none."""
    return torch.randn(shape, dtype=dtype if dtype.is_complex else None).to(dtype)


class Weight(nn.Module):
    def __init__(self, *shape: int, dtype=torch.float32) -> None:
        super().__init__()
        self.weight = nn.Parameter(_normal(shape, dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3, 5), (4, 4), (2, 3, 5, 4), (0, 3, 3)])
def test_every_shape_of_weight(shape, schedule: str, dtype) -> None:
    module = orthogonal(Weight(*shape, dtype=dtype), schedule=schedule)
    assert (module.weight.shape, module.weight.dtype) == (shape, dtype)
    if 0 not in shape:
        assert_orthogonal_weight(module.weight)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    module.weight.abs().pow(3).sum().backward()
    optimizer.step()
    if 0 not in shape:
        assert_orthogonal_weight(module.weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64])
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3, 5), (4, 4), (2, 3, 5, 4)])
def test_weights_can_be_assigned(shape, dtype) -> None:
    module = orthogonal(Weight(*shape, dtype=dtype))
    *batch, rows, columns = shape
    tall = torch.randn(*batch, max(rows, columns), min(rows, columns), dtype=dtype)
    wanted = torch.linalg.qr(tall)[0]
    if rows < columns:
        wanted = wanted.mT
    if rows == columns and not wanted.is_complex():
        wanted[..., 0, :] *= -torch.linalg.det(wanted)[..., None]  # determinant -1
    module.weight = wanted
    # As `decompose` says, the parameters round, and `matrix` does.
    bound = 64 * (max(shape) + 1) * torch.finfo(dtype).eps
    assert (module.weight - wanted).abs().max() <= bound
    # Again: there is nothing left to change.
    module.weight = module.weight
    assert (module.weight - wanted).abs().max() <= 2 * bound


def test_first_weights() -> None:
    square = nn.Linear(4, 4)
    nn.init.orthogonal_(square.weight)
    before = square.weight.detach().clone()
    bound = 64 * 5 * torch.finfo(torch.float32).eps
    assert (orthogonal(square).weight - before).abs().max() <= bound  # as it was
    tall = nn.Linear(3, 5)
    Q, R = torch.linalg.qr(tall.weight.detach())
    Q = Q * R.diagonal().sign()
    # Both decompositions round, by as much more as the weight is ill-conditioned.
    bound *= float(torch.linalg.cond(tall.weight.detach()))
    assert (orthogonal(tall).weight - Q).abs().max() <= bound
    identity = orthogonal(nn.Linear(3, 5), init="identity")
    assert torch.equal(identity.weight, torch.eye(5, 3))
    haar = orthogonal(nn.Linear(5, 5), init="haar")
    assert_orthogonal_weight(haar.weight)
    zero = nn.Linear(3, 3)
    nn.init.zeros_(zero.weight)
    assert_orthogonal_weight(orthogonal(zero).weight)


def test_convolution_kernels_are_matrices() -> None:
    for make, rows in ((nn.Conv2d, 4), (nn.ConvTranspose2d, 3)):
        layer = orthogonal(make(3, 4, 2))
        assert_orthogonal_weight(layer.weight.flatten(1))
        assert layer.weight.shape[0] == rows
        assert layer(torch.randn(2, 3, 5, 5)).isfinite().all()
    batched = orthogonal(nn.Conv2d(3, 4, 2), flatten=False)
    assert_orthogonal_weight(batched.weight)


def test_other_names_and_modules() -> None:
    rnn = orthogonal(nn.RNN(3, 5), "weight_hh_l0", schedule="xor")
    assert_orthogonal_weight(rnn.weight_hh_l0)
    assert_orthogonal_weight(orthogonal(nn.Embedding(7, 3)).weight)
    attention = orthogonal(nn.MultiheadAttention(4, 2), "in_proj_weight")
    assert_orthogonal_weight(attention.in_proj_weight)


def test_parametrizations_are_copied_saved_removed_and_compiled() -> None:
    layer = orthogonal(nn.Linear(5, 3))
    wanted = torch.linalg.qr(torch.randn(5, 3))[0].T
    wanted[0] *= -1
    layer.weight = wanted
    x = torch.randn(2, 5)
    y = layer(x)
    assert torch.equal(copy.deepcopy(layer)(x), y)
    assert torch.equal(saved_and_loaded(layer, orthogonal(nn.Linear(5, 3)))(x), y)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), y)
    with parametrize.cached():
        assert layer.weight is layer.weight
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert torch.equal(layer(x), y)


def test_training_moves_towards_a_weight() -> None:
    torch.manual_seed(0)
    target = torch.linalg.qr(torch.randn(6, 6))[0]
    target = target * torch.linalg.det(target).sign()
    target[0] *= torch.linalg.det(target).sign()
    layer = orthogonal(nn.Linear(6, 6, bias=False), schedule="xor", init="small")
    optimizer = torch.optim.Adam(layer.parameters(), 0.05)
    losses = []
    for _ in range(150):
        loss = (layer.weight - target).pow(2).sum()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.01 * losses[0]


class Computed(nn.Module):
    weight = property(lambda self: torch.eye(2))


def test_what_cannot_be_assigned() -> None:
    layer = orthogonal(nn.Linear(4, 4))
    before = layer.weight.detach().clone()
    with pytest.raises(ValueError, match="the weight must be finite"):
        layer.weight = torch.full((4, 4), torch.nan)
    with pytest.raises(TypeError, match="the weight must be real, got complex64"):
        layer.weight = torch.eye(4) + 0j
    with pytest.raises(
        ValueError, match=r"the weight must have shape \(4, 4\), got shape \(3, 4\)"
    ):
        layer.weight = torch.eye(3, 4)
    assert torch.equal(layer.weight, before)
    fast = orthogonal(nn.Linear(4, 4), schedule="xor", base=False)
    with pytest.raises(NotImplementedError, match=r"if there is a base \(base=True\), or with"):
        fast.weight = torch.eye(4)


@pytest.mark.parametrize(
    ("module", "keywords", "error", "message"),
    [
        (nn.Linear(2, 2), {"name": "nothing"}, ValueError, "module must have a tensor 'nothing'"),
        (nn.Linear(2, 2), {"name": "bias"}, ValueError, "at least two axes"),
        (
            nn.Linear(4, 4),
            {"schedule": "xor", "base": False, "init": "weight"},
            ValueError,
            "must be .brickwall",
        ),
        (nn.Linear(2, 2), {"init": "zero"}, ValueError, "init must be one of"),
        (
            nn.Linear(4, 4),
            {"schedule": "xor", "base": False, "init": "haar"},
            ValueError,
            "schedule must have the rotations of",
        ),
        (Weight(2, 2, dtype=torch.float8_e4m3fn), {}, TypeError, "got float8_e4m3fn"),
        (nn.LazyLinear(2), {}, ValueError, "call the module once first"),
        (Computed(), {}, ValueError, "that is computed"),
    ],
)
def test_wrong_arguments_of_the_parametrization(module, keywords, error, message: str) -> None:
    with pytest.raises(error, match=message):
        orthogonal(module, **keywords)


def test_weights_agree_with_the_arrays() -> None:
    layer = orthogonal(nn.Linear(6, 6), schedule="xor", init="small", base=False)
    angles = layer.parametrizations.weight.original0.detach().numpy()
    np.testing.assert_array_equal(
        layer.weight.detach().numpy(), givens.matrix(angles, Schedule.xor(6))
    )
