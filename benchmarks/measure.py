"""Timing: every contender once in each round, so that all see the same moods of the machine."""

import gc
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from contenders import Contender, Results

# A sample repeats a call until it takes this long: a single one is shorter than what disturbs it.
SAMPLE_SECONDS = 0.005


@dataclass
class Timing:
    contender: Contender
    finish: Callable[[], None]  # waits for what calls have queued
    rounds: int = 0
    calls: int = 1  # in each sample
    seconds: list[float] = field(default_factory=list)  # of one call, by sample
    warm: bool = True
    error: float = 0.0
    failure: str = ""

    def warm_up(self, repeats: int, budget: float, sample_seconds: float) -> None:
        """Run and check, and decide how often to run again.

        If the first run takes longer than the budget it is the only one.
        """
        try:
            first, results = self.timed()
            self.error = self.contender.error(results)
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            return
        if self.error > 1:
            self.failure = f"wrong result: {self.error:.1f} times the allowed error"
        elif first > budget:
            self.seconds, self.warm = [first], False
        else:
            seconds, _ = self.timed()
            if (
                seconds < sample_seconds
            ):  # one of few microseconds may still be the first of its kind
                seconds = min(self.timed()[0] for _ in range(5))
            self.calls = max(1, round(sample_seconds / seconds))
            self.rounds = min(repeats, max(1, int(budget / (self.calls * seconds))))

    def sample(self) -> None:
        start = perf_counter()
        for _ in range(self.calls):
            self.contender.run()
        self.finish()
        self.seconds.append((perf_counter() - start) / self.calls)

    def timed(self) -> tuple[float, Results]:
        start = perf_counter()
        results = self.contender.run()
        self.finish()
        return perf_counter() - start, results


def nothing() -> None:
    """Wait for nothing: where calls return when all is done."""


def measure(
    contenders: Iterable[Contender],
    repeats: int,
    budget: float,
    quick: bool,
    finish: Callable[[], None] = nothing,
) -> list[dict[str, Any]]:
    """Check and time contenders, interleaved, and return a JSON object for each."""
    timings = [Timing(contender, finish) for contender in contenders]
    for timing in timings:
        if not timing.contender.missing:
            timing.warm_up(repeats, budget, 0 if quick else SAMPLE_SECONDS)
            if timing.failure:
                print(f"{timing.contender.name}: {timing.failure}", file=sys.stderr)
    gc.disable()
    for round_number in range(repeats):
        for timing in timings:
            if round_number < timing.rounds:
                timing.sample()
        gc.collect()
    gc.enable()
    return [as_json(timing) for timing in timings]


def as_json(timing: Timing) -> dict[str, Any]:
    contender = timing.contender
    return {
        "task": contender.task,
        "name": contender.name,
        "is_yardstick": contender.is_yardstick,
        "missing": contender.missing,
        "failure": timing.failure,
        "error": timing.error,
        "median": statistics.median(timing.seconds) if timing.seconds else None,
        "seconds": timing.seconds,
        "calls": timing.calls,
        "warm": timing.warm,
    }
