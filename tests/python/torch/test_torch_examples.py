"""The examples for PyTorch in their quick forms."""

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_a_recurrent_network_learns_the_copy_task() -> None:
    example = runpy.run_path(str(EXAMPLES / "torch_copy_task.py"))
    assert example["main"](["--quick"]) > 0.9  # a symbol in four is right by chance


def test_a_learned_rotation_quantises_best() -> None:
    example = runpy.run_path(str(EXAMPLES / "torch_quantisation.py"))
    errors = example["main"](["--quick"])
    assert errors["learned"] < errors["Hadamard"] < errors["none"]
    assert errors["learned"] < errors["random"]
