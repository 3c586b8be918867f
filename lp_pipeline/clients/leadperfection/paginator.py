"""Where the next page of a feed begins, and when the feed is at its end (SPEC W4, contract section 4): whether
StartIndex counts pages or rows, whether LeadPerfection caps the page size. Decisions on record keys only, no requests.
"""

from collections.abc import Hashable, Sequence

from lp_pipeline.errors import LeadPerfectionError

PAGE, ROW = "page", "row"
SMALLEST_TELLING_PAGE = 3  # below that, rows that shift between two requests look like a StartIndex that counts rows
REPEATS = 2


class Walk:
    """One walk over the pages of a window: ask for `start_index`, tell what came by `took`, until `done`.

    As long as it is not known what StartIndex counts, pages are asked for by number: if LeadPerfection counts rows,
    that only brings rows again and misses none. Rows are counted once an answer overlaps what is known, and asking for
    the last known row has brought that row first.
    """

    def __init__(self, size: int, counts: str | None, *, trust_short_page: bool) -> None:
        self.start_index = 1
        self.done = False
        self.counts = counts if counts in (PAGE, ROW) else None
        self.effective = size  # the page size that LeadPerfection keeps to
        self._size = size
        self._measured = trust_short_page
        self._number = 1
        self._known: list[Hashable | None] = []  # by position; None is a row that was set aside
        self._sure = 0  # so many rows are known, whatever StartIndex counts
        self._seen: set[Hashable] = set()
        self._expected: Hashable | None = None  # while rows are counted on trial: what the next answer begins with
        self._undecided = self.counts is None
        self._repeats = 0
        self._repeats_allowed = REPEATS
        self.pages_with_news = 0
        self.after_full_page = False  # an empty answer is then asked for once more
        self.full_page = False  # a page of exactly the size asked for was seen

    @property
    def learnt(self) -> str | None:
        """What StartIndex counts, if that is sure."""
        return None if self._expected is not None else self.counts

    @property
    def rows(self) -> range:
        """The rows (counted from 1) that the page to be asked for would hold, at the least."""
        if self.counts is None:
            return range(self._sure + 1, max(self._sure, self._number * self.effective) + 1)
        first = self.start_index if self.counts == ROW else (self._number - 1) * self.effective + 1
        return range(first, first + self.effective)

    def took(self, keys: Sequence[Hashable]) -> None:
        """Take note of the answer: the keys of its records, in order."""
        if self._expected is not None:
            if not keys or keys[0] != self._expected:
                self._count_pages_in_doubt(keys)
                return
            self._expected = None
        if not keys:
            self.done = True
            return
        news = len(set(keys) - self._seen)
        self._measure(keys)
        on_trial = False
        if len(keys) < self.effective:
            self.done = True
        elif not news:
            self._repeated()
        elif self._undecided:
            on_trial = self._decide(keys)
        self._note(keys, news, self.start_index if self.counts == ROW else len(self._known) + 1)
        self._sure = max(self._sure, self.start_index - 1 + len(keys))
        self._go_on(len(keys))
        if on_trial:
            self._ask_for_last_known_row()

    def took_rows(self, keys: Sequence[Hashable | None], *, ended: bool) -> None:
        """Take note of a page that was read row by row: its keys, None for each row that was set aside."""
        self.done = ended
        self.after_full_page = not ended
        self._repeats_allowed += len(keys)
        first = self.rows.start
        self._note(keys, len({key for key in keys if key is not None} - self._seen), first)
        self._sure = first - 1 + len(keys)
        if self._expected is not None:
            self.counts, self._expected, self._undecided = None, None, True
        self._go_on(len(keys))

    def _measure(self, keys: Sequence[Hashable]) -> None:
        """Learn the effective page size from the first page; whether later ones are full by it."""
        self.full_page = self.full_page or len(keys) == self._size
        if self._measured:
            self.after_full_page = len(keys) >= self.effective
            return
        self._measured = True
        self.after_full_page = len(keys) >= self._size
        self.effective = min(len(keys), self._size)

    def _decide(self, keys: Sequence[Hashable]) -> bool:
        """Tell by this answer what StartIndex counts, if it tells; True if rows are counted from now on, on trial."""
        would_repeat = len(self._known) - self.start_index + 1  # rows known already, if it counts rows
        if min(self.effective, would_repeat + 1) < SMALLEST_TELLING_PAGE:
            return False
        repeated = sum(key in self._seen for key in keys)
        if not repeated:
            self.counts, self._undecided = PAGE, False
        elif 2 * repeated >= len(keys):
            self.counts, self._undecided = ROW, False
        return self.counts == ROW

    def _ask_for_last_known_row(self) -> None:
        position, key = next((at, key) for at, key in reversed(list(enumerate(self._known, 1))) if key is not None)
        self.start_index, self._expected = position, key

    def _count_pages_in_doubt(self, keys: Sequence[Hashable]) -> None:
        """The last known row did not come when asked for by its number: it was no row number after all."""
        self.counts, self._expected = None, None
        self._repeats_allowed += len(self._known)
        self._note(keys, len(set(keys) - self._seen), None)
        self._go_on(len(keys))

    def _repeated(self) -> None:
        if len(self._known) == 1 < self._size:  # a single record, not a page size that is capped at one
            self.done = True
            return
        self._repeats += 1
        if self._repeats >= self._repeats_allowed:
            raise LeadPerfectionError(
                f"LeadPerfection ignores StartIndex: page after page brought the same {len(self._seen)} records again, "
                "so what lies beyond can't be read. Ask LeadPerfection's support; nothing is lost, the next sync tries "
                "again."
            )

    def _note(self, keys: Sequence[Hashable | None], news: int, first: int | None) -> None:
        """Remember what came; `first` is the row that it begins with, if that is known."""
        self.pages_with_news += bool(news)
        self._repeats = 0 if news else self._repeats
        self._seen.update(key for key in keys if key is not None)
        if first is not None:
            self._known[first - 1 :] = keys

    def _go_on(self, number: int) -> None:
        if self.counts != ROW:
            self._number += 1
            self.start_index = self._number
        else:
            self.start_index += number
