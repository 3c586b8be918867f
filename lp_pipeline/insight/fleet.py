"""All accounts of a deployment at a glance (SPEC A5): a line for each. One account's health: `health.py`."""

from collections.abc import Iterator
from dataclasses import dataclass

from lp_pipeline.errors import SettingsError
from lp_pipeline.insight.health import Health, health
from lp_pipeline.insight.waiting import waiting
from lp_pipeline.insight.words import ago
from lp_pipeline.settings import Account, Settings, listed_accounts, load_accounts


@dataclass(frozen=True)
class Line:
    """One account. `state` is OK, LATE or FAILING, OFF if it is disabled, ELSEWHERE if its folder is on another host;
    the rest is in words, ages as of now; `waits` are counts by kind."""

    account: str
    shard: str
    state: str
    synced: str = ""
    published: str = ""
    waits: str = ""
    why: str = ""


def all_accounts() -> Iterator[Line]:
    """A line for each account, in the order of the accounts file. Raises `SettingsError` if that is broken, not for a
    broken account."""
    accounts = listed_accounts()
    for name, settings in load_accounts().items():
        yield _line(accounts[name], settings)


def _line(account: Account, settings: Settings | SettingsError) -> Line:
    if not account.enabled:
        return Line(account.name, account.shard, "OFF", why="disabled: lp-pipeline accounts enable " + account.name)
    if isinstance(settings, Settings):
        return _of(account, health(settings))
    if settings.is_elsewhere:
        return Line(account.name, account.shard, "ELSEWHERE", why=f"its folder is on shard {account.shard}")
    if settings.usable is not None:
        return _of(account, health(settings.usable, str(settings)))
    return Line(account.name, account.shard, "FAILING", why=str(settings))


def _of(account: Account, found: Health) -> Line:
    sync = found.runs.get("sync")
    return Line(
        account.name,
        account.shard,
        found.verdict.state,
        synced=ago(sync.good_at, found.as_of) if sync and sync.good_at else "never",
        published=ago(found.published_at, found.as_of) if found.published_at else "never",
        waits=", ".join(f"{each.number:,} {each.kind}" for each in waiting(found)),
        why=found.verdict.why,
    )
