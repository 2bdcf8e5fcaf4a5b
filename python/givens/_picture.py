"""The picture of a schedule that notebooks show."""

from html import escape

from givens import Schedule

_STEP = 12  # between wires, and between rotations that lie side by side
_MOST_STEPS = 160  # more would be no picture to look at


def html_of(schedule: Schedule) -> str:
    """Return what a schedule is called, and if it is small its picture: a mesh of wires."""
    name = f"<code>{escape(repr(schedule))}</code>"
    if schedule.n > _MOST_STEPS:
        return f"<div>{name}</div>"
    places = _places(schedule)
    width = places[-1][0] + 2 if places else 2
    if width > _MOST_STEPS:
        return f"<div>{name}</div>"
    return f"<div>{name}<br/>{_svg(schedule.n, width, places)}</div>"


def _places(schedule: Schedule) -> list[tuple[int, int, int, int]]:
    """Return step, coordinates i < j and round of each rotation.

    The rotations of a round share no coordinate and could happen at once. Those that would cross in
    the picture lie side by side.
    """
    places = []
    step = 0
    for index in range(schedule.num_rounds):
        last: list[int] = []  # for each step of the round, the last coordinate that is taken
        for i, j in sorted(schedule.round(index).tolist()):
            side = next((k for k, taken in enumerate(last) if taken < i), len(last))
            last[side : side + 1] = [j]
            places.append((step + side, i, j, index))
        step += len(last) + 1
    return sorted(places)


def _svg(n: int, width: int, places: list[tuple[int, int, int, int]]) -> str:
    right = (width + 1) * _STEP
    size = f'width="{right + _STEP}" height="{(n + 1) * _STEP}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="8" '
        'text-anchor="end" stroke-width="1.5">'
    ]
    for k in range(n):
        y = (k + 1) * _STEP
        lines.append(f'<text x="{_STEP}" y="{y + 3}" fill="gray">{k}</text>')
        lines.append(f'<line x1="{1.5 * _STEP}" x2="{right}" y1="{y}" y2="{y}" stroke="silver"/>')
    for step, i, j, index in places:
        # Neighbouring rounds differ most.
        colour = f"hsl({index * 137 % 360},65%,45%)"
        x, top, bottom = (step + 2) * _STEP, (i + 1) * _STEP, (j + 1) * _STEP
        lines.append(
            f'<g class="rotation" stroke="{colour}" fill="{colour}">'
            f'<line x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
            f'<circle cx="{x}" cy="{top}" r="2"/><circle cx="{x}" cy="{bottom}" r="2"/></g>'
        )
    return "".join([*lines, "</svg>"])
