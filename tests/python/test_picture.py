"""The pictures of schedules that notebooks show."""

from xml.etree import ElementTree

import pytest

from givens import Schedule

SMALL = [
    Schedule.xor(8),
    Schedule.circle(5),
    Schedule.circle(8, columns=3),
    Schedule.team(7, 3),
    Schedule.brickwall(6),
    Schedule.butterfly(16),
    Schedule.wavefront(9, columns=4),
    Schedule.from_rounds(6, [[(4, 1)], [], [(0, 5), (2, 3)]]),
    Schedule.xor(0),
    Schedule.xor(1),
]
NAMESPACE = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("schedule", SMALL, ids=repr)
def test_picture_has_every_rotation_in_order(schedule: Schedule) -> None:
    document = ElementTree.fromstring(schedule._repr_html_())
    assert document.findtext("code") == repr(schedule)
    svg = document.find(f"{NAMESPACE}svg")
    assert svg is not None
    assert [t.text for t in svg.iter(f"{NAMESPACE}text")] == [str(k) for k in range(schedule.n)]

    lines = [g[0].attrib for g in svg.findall(f"{NAMESPACE}g")]
    coordinates = [tuple(int(line[y]) // 12 - 1 for y in ("y1", "y2")) for line in lines]
    steps = [int(line["x1"]) for line in lines]
    assert steps == sorted(steps)
    assert max(steps, default=0) < int(svg.attrib["width"])

    # Rounds follow one another; in a step no two rotations touch.
    expected = [
        {tuple(pair) for pair in schedule.round(r).tolist()} for r in range(schedule.num_rounds)
    ]
    start = 0
    for pairs in expected:
        end = start + len(pairs)
        assert set(coordinates[start:end]) == {(min(p), max(p)) for p in pairs}
        assert not set(steps[:start]) & set(steps[start:end])
        start = end
    assert start == len(coordinates)
    taken: dict[int, int] = {}
    for step, (i, j) in zip(steps, coordinates, strict=True):
        assert i > taken.get(step, -1)
        taken[step] = j


@pytest.mark.parametrize("schedule", [Schedule.xor(64), Schedule.brickwall(161)], ids=repr)
def test_large_schedules_are_named_only(schedule: Schedule) -> None:
    assert schedule._repr_html_() == f"<div><code>{schedule!r}</code></div>"
