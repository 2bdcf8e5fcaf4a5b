"""Command line of givens: ``python -m givens demo`` and ``python -m givens info``."""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from givens import _info

DEMO_PACKAGES = ("sklearn", "matplotlib", "PIL", "tqdm")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status of the process.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; by default the process's own.

    Returns
    -------
    int
        0 when the subcommand ran, 2 when it could not start.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "info":
        print(_info.describe())
        return 0

    missing = [name for name in DEMO_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        needs = ", ".join(missing)
        print(f"the demo needs {needs}: run `pip install givens[demo]`", file=sys.stderr)
        return 2
    # Checked now: otherwise the learning would be lost.
    if arguments.output.is_dir() or not arguments.output.parent.is_dir():
        parser.error(f"--output: cannot write a file at {arguments.output}")

    # Imported here because it pulls in scikit-learn and Matplotlib, which nothing else needs.
    from givens import _demo

    _demo.run(quick=arguments.quick, output=arguments.output, seed=arguments.seed)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m givens", description="Orthogonal matrices from rotation angles."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    summary = "learn an orthogonal transform of 8 x 8 image patches and compare it with the DCT"
    demo = commands.add_parser("demo", help=summary, description=summary)
    demo.add_argument("--quick", action="store_true", help="a few seconds of learning only")
    demo.add_argument(
        "--output",
        type=Path,
        default=Path("givens-demo.png"),
        metavar="PATH",
        help="where to write the PNG (default: %(default)s)",
    )
    demo.add_argument(
        "--seed",
        type=_seed,
        default=0,
        metavar="N",
        help="seed of the draw of mini-batches (default: %(default)s)",
    )

    summary = "print the version, how the library was built, and its backends"
    commands.add_parser("info", help=summary, description=summary)
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected an integer of at least 0, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
