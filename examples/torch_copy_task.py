"""Train an orthogonal recurrent network on the copy task.

The network reads a few random symbols, then blanks, then a mark, and has to say the symbols again.
What it has read must survive all the blanks, which a recurrent matrix that shrinks or stretches its
state makes hard, and an orthogonal one does not. (Hochreiter and Schmidhuber posed the task,
Neural Computation 9, 1735 (1997); for orthogonal networks see Arjovsky et al., arXiv:1511.06464.)

Needs PyTorch: ``pip install 'givens[torch]'``. Run ``python examples/torch_copy_task.py``, with
``--quick`` for a short form.
"""

import argparse
import math

import torch
from torch import Tensor, nn

import givens.torch


class OrthogonalRNN(nn.Module):
    """h <- modrelu(U h + V x), and symbols from a linear layer."""

    def __init__(self, symbols: int, hidden: int) -> None:
        super().__init__()
        self.recurrent = givens.torch.Orthogonal(hidden, schedule="brickwall", init="haar")
        self.read = nn.Embedding(symbols + 2, hidden)  # symbols, blank, mark
        self.say = nn.Linear(hidden, symbols)
        self.bias = nn.Parameter(torch.zeros(hidden))
        nn.init.normal_(self.read.weight, std=hidden**-0.5)  # many steps add up

    def forward(self, tokens: Tensor) -> Tensor:
        """Return scores of the symbols after each token: (batch, time, symbols)."""
        U = self.recurrent.weight  # formed once for all steps
        h = torch.zeros(len(tokens), U.shape[0])
        states = []
        for x in self.read(tokens).unbind(1):
            z = h @ U.T + x
            h = torch.sign(z) * torch.relu(z.abs() + self.bias)
            states.append(h)
        return self.say(torch.stack(states, dim=1))


def make_batch(size: int, length: int, blanks: int, symbols: int) -> tuple[Tensor, Tensor]:
    """Return tokens (size, length + blanks + 1 + length), and the symbols to be said at the end."""
    wanted = torch.randint(symbols, (size, length))
    tokens = torch.full((size, 2 * length + blanks + 1), symbols)
    tokens[:, :length] = wanted
    tokens[:, length + blanks] = symbols + 1
    return tokens, wanted


def train(
    *, hidden: int, length: int, blanks: int, symbols: int, steps: int, batch: int, report: int
) -> float:
    """Train, print the loss from time to time, and return the share of symbols that are right."""
    model = OrthogonalRNN(symbols, hidden)
    angles = list(model.recurrent.parameters())
    others = [p for p in model.parameters() if all(p is not a for a in angles)]
    # Angles turn whole planes, so that they need smaller steps.
    optimizer = torch.optim.RMSprop([{"params": angles, "lr": 1e-3}, {"params": others}], lr=3e-3)
    for step in range(1, steps + 1):
        tokens, wanted = make_batch(batch, length, blanks, symbols)
        scores = model(tokens)[:, -length:]
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), wanted.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % report == 0 or step == 1:
            print(f"step {step:5d}  loss {loss.item():.4f}  (guessing: {math.log(symbols):.4f})")
    with torch.no_grad():
        tokens, wanted = make_batch(500, length, blanks, symbols)
        return (model(tokens)[:, -length:].argmax(-1) == wanted).float().mean().item()


def main(arguments: list[str] | None = None) -> float:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a short task: a few seconds")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    if options.quick:
        right = train(hidden=32, length=3, blanks=10, symbols=4, steps=150, batch=32, report=50)
    else:
        right = train(hidden=128, length=10, blanks=100, symbols=8, steps=500, batch=64, report=50)
    print(f"{100 * right:.1f} % of the symbols are right")
    return right


if __name__ == "__main__":
    main()
