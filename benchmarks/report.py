"""Tables and chart, all from what --json holds."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Data = dict[str, Any]
# Title, header, rows.
Table = tuple[str, list[str], list[list[str]]]

TASKS = {
    "product": "Dense product of two n x n matrices",
    "matrix": "U from its parameters",
    "matrix_vjp": "U and the gradient of sum(U G) by the parameters",
    "rotate": "U X for n vectors, U not formed",
    "layer": "y = x U^T for 32 vectors, and the gradients of sum(y G) by x and the parameters",
    "few": "Few rotations of contiguous vectors, in copies of the array",
    "few_vjp": "The gradients by these vectors and the angles, in copies of the array",
    "graph": "1000 vectors times the approximate eigenvectors of a graph of 256 nodes",
    "batch": "Many small matrices",
    "batch_vjp": "Many small matrices, and the gradient of sum(U G) by the parameters",
}
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

# Colour, marker and width of a line of the chart; what is not of givens is thin.
STYLES = {
    "givens, xor": ("#0072b2", "o", 2.6),
    "givens, circle": ("#56b4e9", "s", 2.6),
    "givens, brickwall": ("#003b5c", "<", 1.8),
    "givens, wavefront": ("#6a51a3", "p", 1.8),
    "givens on cupy, xor": ("#0072b2", "o", 2.6),
    "givens on cupy, circle": ("#56b4e9", "s", 2.6),
    "givens on torch, xor": ("#003b5c", "p", 1.8),
    "one launch a round": ("#000000", "^", 1.2),
    "Numba loop over rotations": ("#009e73", "v", 1.2),
    "NumPy loop over rounds": ("#000000", "^", 1.2),
    "LAPACK orgqr (scipy)": ("#999999", "D", 1.2),
    "torch.linalg.qr": ("#e69f00", "P", 1.2),
    "torch, CWY": ("#f0c000", "X", 1.2),
    "torch orthogonal, householder": ("#cc79a7", "<", 1.2),
    "torch orthogonal, cayley": ("#d55e00", ">", 1.2),
    "torch orthogonal, matrix_exp": ("#8c2d04", "*", 1.2),
    "geotorch, cayley": ("#7f5fa8", "h", 1.2),
}


def failures(data: Data) -> list[str]:
    return [f"{r['name']}, {r['label']}: {r['failure']}" for r in data["results"] if r["failure"]]


# --- Tables -------------------------------------------------------------------------------------


def text(data: Data) -> str:
    """Everything for a terminal."""
    lines = [f"{name:<13} {value}" for name, value in data["machine"].items()]
    lines += ["", *notes(data)]
    for title, header, rows in tables(data):
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        lines += ["", title]
        for name, *cells in (header, *rows):
            padded = [f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)]
            lines.append("   ".join([f"{name:<{widths[0]}}", *padded]))
    return "\n".join([*lines, *(f"FAILED: {failure}" for failure in failures(data))])


def markdown(data: Data, chart: str | None) -> str:
    """Everything for a page, `chart` the address of the picture in it."""
    lines = ["| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in data["machine"].items()]
    lines += [line for note in notes(data) for line in ("", note)]
    if chart:
        lines += ["", f"![Time against size, as a multiple of one dense product]({chart})"]
    for title, header, rows in tables(data):
        lines += ["", f"### {title}", "", row_of(header)]
        lines += ["|---|" + "---:|" * (len(header) - 1), *(row_of(row) for row in rows)]
    return "\n".join(lines)


def product(settings: Data) -> str:
    """Name the yardstick."""
    return "cupy a @ b" if settings["gpu"] else "numpy a @ b"


def row_of(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def notes(data: Data) -> list[str]:
    """Say how to read the tables."""
    settings = data["settings"]
    lines = [
        f"Ratio to {product(settings)} of the same n (torch.bmm for the small matrices, and"
        " np.copyto or the dense product for few rotations), and in"
        f" brackets the time: medians of {settings['repeats']} rounds, each of which ran every"
        " contender once.",
        f"[k]: only k rounds, to stay within {settings['budget']:g} s; [cold]: a single run, the"
        " first, which took longer than that.",
        "Checked before timing: each U is orthogonal, and the rotations and their gradients"
        " agree with plain loops in double precision to a relative error of 8 n eps.",
    ]
    if settings["threads"] > 1:
        lines.append(
            "With more than one thread the thread pools of NumPy and PyTorch slow each other down"
            " where they take turns in one process: compare the two with one thread only."
        )
    if settings["gpu"]:
        lines.append("A sample ends when the GPU has done all that its calls have queued.")
    elif settings["processor_share"] < 0.97:
        lines.append(
            f"Disturbed: this process got {settings['processor_share']:.0%} of a core while it"
            " measured, where undisturbed it gets all of one."
        )
    if settings["quick"]:
        lines.append("A quick run: it shows that everything works, and says nothing about time.")
    return lines


def tables(data: Data) -> Iterator[Table]:
    """Make one table for each task and dtype."""
    results = data["results"]
    units = {
        (r["dtype"], r["label"]): r["median"] for r in results if r["is_yardstick"] and r["median"]
    }
    for dtype in unique(r["dtype"] for r in results):
        for task, title in TASKS.items():
            chosen = [r for r in results if (r["task"], r["dtype"]) == (task, dtype)]
            if not chosen:
                continue
            labels = unique(r["label"] for r in chosen)
            cells = {
                (r["name"], r["label"]): cell(r, units.get((dtype, r["label"])), data["settings"])
                for r in chosen
            }
            rows = [
                [name, *(cells.get((name, label), "") for label in labels)]
                for name in unique(r["name"] for r in chosen)
            ]
            yield f"{title}: {dtype}", ["", *labels], rows


def unique(items: Any) -> list[str]:
    return list(dict.fromkeys(items))


def cell(result: Data, unit: float | None, settings: Data) -> str:
    if result["missing"]:
        return f"{result['missing']} not installed"
    if result["failure"]:
        return "FAILED"
    ratio = three_digits(result["median"] / unit) if unit else "-"
    rounds = len(result["seconds"])
    mark = "" if rounds == settings["repeats"] else f" [{rounds}]" if result["warm"] else " [cold]"
    return f"{ratio} ({duration(result['median'])}){mark}"


def three_digits(value: float) -> str:
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}"


def duration(seconds: float) -> str:
    for unit, size in (("us", 1e-6), ("ms", 1e-3)):
        if seconds < 999.5 * size:
            return f"{three_digits(seconds / size)} {unit}"
    return f"{three_digits(seconds)} s"


def write_markdown(data: Data, path: Path, chart: Path | None) -> None:
    """Write a page, or in a page with marks what lies between them."""
    address = Path(os.path.relpath(chart, path.parent)).as_posix() if chart else None
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        before, after = "# Benchmarks\n\n", "\n"
    content = f"{before}{BEGIN}\n{markdown(data, address)}\n{END}{after}"
    path.write_text(content, encoding="utf-8")


# --- Chart --------------------------------------------------------------------------------------


def write_chart(data: Data, path: Path) -> None:
    """Draw time in dense products against n, for U alone and with its gradient."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    dtype = data["results"][0]["dtype"]
    results = [r for r in data["results"] if r["dtype"] == dtype]
    units = {r["label"]: r["median"] for r in results if r["is_yardstick"]}
    figure = Figure(figsize=(12, 6), layout="constrained")
    lines = {}
    for axes, task in zip(
        figure.subplots(1, 2, sharey=True), ("matrix", "matrix_vjp"), strict=True
    ):
        measured = [r for r in results if r["task"] == task and r["median"]]
        for name in unique(r["name"] for r in measured):
            points = [
                (r["n"], r["median"] / units[r["label"]]) for r in measured if r["name"] == name
            ]
            curve = re.sub(r"^givens\.\w+( \+ \w+)?", "givens", name)
            colour, marker, width = STYLES.get(curve, ("#999999", ".", 1.2))
            (lines[curve],) = axes.plot(
                *zip(*points, strict=True),
                color=colour,
                marker=marker,
                linewidth=width,
                markersize=5,
            )
        axes.axhline(1, color="black", linestyle=":", linewidth=1)
        axes.set(title=TASKS[task], xscale="log", yscale="log", xlabel="n")
        axes.set_xticks(sorted({r["n"] for r in measured}))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel(f"time, in dense n x n products ({product(data['settings'])})")
    threads = f"threads: {data['settings']['threads']}"
    place = data["machine"].get("GPU") or f"{data['machine']['processor']}, {threads}"
    figure.suptitle(f"{place}, {dtype}")
    figure.legend(lines.values(), lines.keys(), loc="outside right center", frameon=False)
    figure.savefig(path, format="png", dpi=120)
