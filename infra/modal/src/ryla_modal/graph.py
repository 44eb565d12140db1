"""One graph through ComfyUI: start, watch, and look at /history until it is over. Used by job.py and by the synchronous
endpoints; decides when a graph is run a second time (out of memory, a server that died), and does so at most once each.
Whoever used a Graph calls `leave` at the end, so that the next run finds a free server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ryla_modal.clock import Clock
from ryla_modal.comfy import Comfy, ComfyDown, Ended, GraphRefused, OutputFile, Watch
from ryla_modal.failures import Failed, of_execution, of_refusal

POLL_S = 0.3
# /history answers `{}` for a prompt between queue and history too: absent from both this often means lost.
ABSENT_TIMES = 2
# A node looks at /interrupt between its steps, and some never do: after that long the process is ended instead.
FREE_WITHIN_S = 15.0


class Stop(Exception):
    """Nobody waits for the run any more."""


class _Lost(Exception):
    """The server does not know the prompt that it took: it was restarted, or it is gone."""


@dataclass(frozen=True)
class Made:
    """The files in the order of the output nodes, and how long it took: until the first step, and from then on."""

    files: tuple[OutputFile, ...]
    load_ms: int
    run_ms: int


class Graph:
    """`tick` is called between looks and may raise; `progress` gets a fraction."""

    def __init__(self, comfy: Comfy, clock: Clock, tick: Callable[[], None], progress: Callable[[float], None]) -> None:
        self._comfy, self._clock, self._tick, self._progress = comfy, clock, tick, progress
        self._running: str | None = None
        self._started = False

    def run(self, graph: dict[str, Any], run: str, nodes: Sequence[str]) -> Made:
        """Runs the graph and returns its files. Raises Failed, or what `tick` raises."""
        freed = restarted = False
        number = 1
        while True:
            # The same prompt id twice would overwrite the first one's history.
            prompt_id = run if number == 1 else f"{run}-{number}"
            try:
                made = self._once(graph, prompt_id, run, nodes)
            except Failed as failed:
                if failed.code != "gpu_oom" or freed:
                    raise
                freed = True
                self._comfy.free()
            except (ComfyDown, _Lost):
                if restarted or not self._comfy.restart():
                    raise Failed("gpu_error", "ComfyUI died and could not be restarted") from None
                restarted = True
            else:
                return made
            number += 1

    def stop(self) -> None:
        """Cancels what runs, if anything does; whether it heeds that is for `leave` to see. Never raises."""
        if self._running is not None:
            with contextlib.suppress(ComfyDown):
                self._comfy.cancel(self._running)
            self._running = None

    def leave(self) -> bool:
        """Stops what still runs and waits until the server is free; starts it again where it does not become so.

        False: it is neither free nor could it be started again. Never raises.
        """
        if not self._started:
            return True
        self.stop()
        begun = self._clock.monotonic()
        try:
            while not self._comfy.idle():
                if self._clock.monotonic() - begun > FREE_WITHIN_S:
                    return self._comfy.restart()
                self._clock.sleep(POLL_S)
        except ComfyDown:
            return self._comfy.restart()
        return True

    def _once(self, graph: dict[str, Any], prompt_id: str, client_id: str, nodes: Sequence[str]) -> Made:
        begun = self._clock.monotonic()
        self._started = True
        watch = self._comfy.watch(client_id, len(graph))
        try:
            self._start(graph, prompt_id, client_id)
            self._running = prompt_id
            ended, stepped = self._wait(prompt_id, watch)
            self._running = None
        finally:
            watch.close()
        self._comfy.forget(prompt_id)
        if ended.status == "interrupted":
            raise Stop
        if ended.status != "success":
            raise of_execution(ended.messages)
        order = {node: place for place, node in enumerate(nodes)}
        made = sorted((file for file in ended.files if file.node in order), key=lambda file: order[file.node])
        if not made:
            raise Failed("no_output", "ComfyUI says success and gives no file")
        now = self._clock.monotonic()
        stepped = begun if stepped is None else stepped
        return Made(tuple(made), round((stepped - begun) * 1000), round((now - stepped) * 1000))

    def _start(self, graph: dict[str, Any], prompt_id: str, client_id: str) -> None:
        try:
            self._comfy.start(graph, prompt_id, client_id)
        except GraphRefused as refused:
            raise of_refusal(refused.body) from None
        except ComfyDown:
            # The answer was lost, not necessarily the graph: a second POST would run it twice.
            if self._comfy.ended(prompt_id) is None and not self._comfy.queued(prompt_id):
                raise

    def _wait(self, prompt_id: str, watch: Watch) -> tuple[Ended, float | None]:
        absent, stepped = 0, None
        while True:
            ended = self._comfy.ended(prompt_id)
            if ended is not None:
                return ended, stepped
            absent = 0 if self._comfy.queued(prompt_id) else absent + 1
            if absent >= ABSENT_TIMES:
                raise _Lost
            fraction = watch.fraction()
            if fraction is not None and fraction > 0:
                stepped = self._clock.monotonic() if stepped is None else stepped
                self._progress(fraction)
            self._tick()
            self._clock.sleep(POLL_S)
