"""The motion of `live-portrait`: which movement follows which, for how many frames, drawn from a seed.

workflow.py puts the text into AdvancedLivePortrait's `command`; shared/backends/src/workflow/motion.rs draws the same one. A
line `motion=change:keep` reaches the motion in `change` frames and holds it for `keep`; motions are numbered as the
ExpressionEditor nodes of the workflow, 0 is the photo's own face.
"""

MASK = (1 << 64) - 1

# By preset: the face at rest, the face while it blinks, and the movements of the head between two blinks.
POSES: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "neutral": (0, 1, (2, 3, 4)),
    "smile": (5, 6, (7, 8, 9)),
    "nod": (0, 1, (10,)),
}
# Frames, at 30 a second: blinks are 3 to 6 s apart, one takes 8 frames, a movement of the head at most 75.
BETWEEN_BLINKS = (90, 180)
CLOSE, CLOSED, OPEN = 3, 1, 4
TURN = (15, 25)
HOLD = (10, 25)
SETTLE = 10


class SplitMix64:
    """A generator that is easy to write twice: public domain, by Sebastiano Vigna."""

    def __init__(self, seed: int) -> None:
        """Starts at the seed."""
        self._state = seed

    def next(self) -> int:
        """64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def between(self, low: int, high: int) -> int:
        """A number from low to high, both included; the bias of the remainder is below 2^-55 here."""
        return low + self.next() % (high - low + 1)


def portrait_motion(seed: int, preset: str, frames: int) -> str:
    """The command for exactly that many frames."""
    rest, blink, turns = POSES[preset]
    draw = SplitMix64(seed)
    lines: list[str] = []
    left = frames
    while True:
        gap = draw.between(*BETWEEN_BLINKS)
        turn = turns[draw.between(0, len(turns) - 1)]
        there, hold, back = draw.between(*TURN), draw.between(*HOLD), draw.between(*TURN)
        still = gap - there - hold - back
        before = draw.between(1, still - 1)
        if left <= gap + CLOSE + CLOSED + OPEN:
            break
        lines += [f"{rest}=1:{before - 1}", f"{turn}={there}:{hold}", f"{rest}={back}:{still - before}"]
        lines += [f"{blink}={CLOSE}:{CLOSED}", f"{rest}={OPEN}:0"]
        left -= gap + CLOSE + CLOSED + OPEN
    settle = min(SETTLE, left)
    return "\n".join([*lines, f"{rest}={settle}:{left - settle}"])
