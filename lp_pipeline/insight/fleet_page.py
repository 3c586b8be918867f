"""`fleet.html`: all accounts of a deployment on one page, for whoever looks after them (SPEC A5). A line's words come
from `fleet.py`; how the page is wrapped, and its colors, are the report's.
"""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from lp_pipeline.errors import SettingsError
from lp_pipeline.insight.fleet import Line
from lp_pipeline.insight.report.page import document
from lp_pipeline.insight.words import count
from lp_pipeline.settings import accounts_folder
from lp_pipeline.storage.failures import readable_errors

ORDER = ("FAILING", "LATE", "OK", "ELSEWHERE", "OFF")  # what needs a look comes first
WRONG = ORDER[:2]
NUMBERS = {"OK": "all right", "LATE": "late", "FAILING": "failing", "OFF": "switched off"}
COLUMNS = ("account", "state", "shard", "last good sync", "published", "waits for somebody", "why")
NAMED = 5  # accounts in the headline


def fleet_file() -> Path:
    """Where the page is: in the folder of the accounts' folders."""
    return accounts_folder() / "fleet.html"


def write_fleet_page(lines: Sequence[Line], as_of: datetime) -> Path:
    """Write the page whole or not at all, for its owner only. Raises `SettingsError` if the folder of the accounts'
    folders is not here, which is not made by itself (SPEC A3), and `WarehouseError` if it can't be written."""
    target = fleet_file()
    if not target.parent.is_dir():
        raise SettingsError(
            f"{target.parent}, the folder of the accounts' folders, is not here. Check LP_PIPELINE_DATA."
        )
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    with readable_errors(f"write {target}"):
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(fleet_page(lines, as_of))
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    return target


def fleet_page(lines: Sequence[Line], as_of: datetime) -> str:
    """The page: the verdict, the numbers, a line for each account. `as_of` has an offset."""
    states = Counter(line.state for line in lines)
    numbers = "".join(f"<div><dt>{words}</dt><dd>{states[state]:,}</dd></div>" for state, words in NUMBERS.items())
    ordered = sorted(lines, key=lambda line: (ORDER.index(line.state), line.account))
    body = [
        f'<h1>{escape(headline(lines))}</h1>\n<p class="quiet">As of {as_of:%Y-%m-%d %H:%M %Z}.</p>',
        f'<dl class="numbers">{numbers}</dl>',
        f'<section class="accounts"><table><thead><tr>{_cells(COLUMNS, "th")}</tr></thead>\n<tbody>',
        *map(_row, ordered),
        "</tbody></table></section>\n<footer><p>One account: <code>lp-pipeline --account NAME status</code>. "
        "All, as of now: <code>lp-pipeline fleet</code>.</p></footer>",
    ]
    return document("Accounts", body)


def headline(lines: Sequence[Line]) -> str:
    """The verdict: `All 12 accounts are all right.`, or which ones are not."""
    wrong = sorted(line.account for line in lines if line.state in WRONG)
    on = sum(line.state != "OFF" for line in lines)
    if not wrong:
        return f"{count(on, 'account')}, all of them all right." if on else "No account is synced."
    named = ", ".join(wrong[:NAMED]) + (f" and {len(wrong) - NAMED:,} more" if len(wrong) > NAMED else "")
    return f"{len(wrong):,} of {count(on, 'account')} to look at: {named}."


def _row(line: Line) -> str:
    shown = (line.account, line.state, line.shard, line.synced, line.published, line.waits, line.why)
    mark = ' class="alarm"' if line.state in WRONG else ""
    return f"<tr{mark}>{_cells(shown, 'td')}</tr>"


def _cells(texts: Sequence[str], tag: str) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
