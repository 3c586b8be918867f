"""Progress of what takes longer than a few seconds: a bar on a terminal, a line a minute elsewhere."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from lp_pipeline.clients.leadperfection import Window

SHOW_AFTER_SECONDS = 3.0
LOG_EVERY_SECONDS = 60.0


class Progress:
    """Shows how far a feed is read, or something else has come; silent if that is quick.

    Without a terminal the lines go to `info`, the run's log, and to `tell`, the shell that started it, if one did.
    """

    def __init__(self, feed: str, info: Callable[[str], object], tell: Callable[[str], object] | None = None) -> None:
        self._feed = feed
        self._told = [each for each in (info, tell) if each]
        self._began = time.monotonic()
        self._logged = self._began + SHOW_AFTER_SECONDS - LOG_EVERY_SECONDS
        self._rows = 0
        self._pages = 0
        self._step = ""
        self._done: tuple[int | None, int | None] = (None, None)
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def page(self, window: Window, rows: int) -> None:
        """A page has arrived; `rows` is how many the current asking has brought so far."""
        self._pages += 1
        self._rows = max(self._rows, rows)
        so_far = f"{self._feed} feed: {self._pages} pages read, window up to {window.end:%Y-%m-%d %H:%M} UTC"
        self._update(self._step or so_far, *self._done)

    def step(self, text: str, done: int | None = None, of: int | None = None) -> None:
        """Something is begun, of which so much is done; the pages of it repeat this."""
        self._step, self._done = text, (done, of)
        self._update(text, done, of)

    def tell(self, text: str) -> None:
        """Say something at once, whatever shows the progress."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        for tell in self._told[: 1 if self._bar else None]:
            tell(text)

    def _update(self, text: str, done: int | None, of: int | None) -> None:
        if time.monotonic() - self._began < SHOW_AFTER_SECONDS:
            return
        if sys.stderr.isatty():
            self._show(text, done, of)
        elif time.monotonic() - self._logged >= LOG_EVERY_SECONDS:
            self._logged = time.monotonic()
            for tell in self._told:
                tell(text)

    def _show(self, text: str, done: int | None, of: int | None) -> None:
        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(text, total=None)
            self._bar.start()
        if self._task is not None:
            self._bar.update(self._task, description=text, completed=done, total=of)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
