"""Times `ryla warm simulate` beside the second model of the same containers in plain Python.

Run by benches/run: `replay.py RYLA [REQUESTS]` draws a trace and plays the nine policies that both know, each endpoint
by itself and all as one pool, at three values of a cold wait. Prints one row of a table, with the plays of the adaptive
policy in its last column. Standard library only.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[1] / "shared/replay/tests/reference.py"
POLICIES = "never-20,never-60,never-300,always-1,cron,cron-300,hybrid,ski-rental,clairvoyant"
VALUES = ("0.01", "0.05", "0.25")
ROUNDS = 3


def trace(requests: int) -> str:
    """Endpoints from busy to rare, gaps with heavy tails; the same for each run."""
    dice = random.Random(7)  # noqa: S311 - a trace, no secret
    rows: list[tuple[float, str]] = []
    for rank in range(1, 41):
        at = 0.0
        for _ in range(max(1, int(requests * 0.234 / rank))):
            at += dice.lognormvariate(4.0 + rank / 10, 1.6)
            rows.append((at, f"model-{rank:02}"))
    lines = [f"{at:.3f},{name}" for at, name in sorted(rows)]
    return "\n".join(["timestamp_s,endpoint", *lines, ""])


def seconds(*commands: list[str]) -> float:
    """The best of several rounds."""

    def once() -> float:
        begun = time.monotonic()
        for words in commands:
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - words of this file
        return time.monotonic() - begun

    return min(once() for _ in range(ROUNDS))


def main(ryla: str, requests: int) -> None:
    """Prints the row."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        text = trace(requests)
        file.write(text)
        file.flush()
        simulate = [ryla, "warm", "simulate", file.name, "--json", "--policy"]
        plays = [["--value", value, "--endpoint", mode] for mode in ("each", "all") for value in VALUES]
        slow_s = seconds([sys.executable, str(REFERENCE), file.name])
        fast_s = seconds(*([*simulate, POLICIES, *words] for words in plays))
        ours_s = seconds(*([*simulate, "adaptive", *words] for words in plays))
    count = text.count("\n") - 1
    print(f"| {count} | {slow_s:.2f} s | {fast_s:.3f} s | {slow_s / fast_s:.0f}x | {ours_s:.3f} s |")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7_180)
