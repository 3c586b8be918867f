"""Accounts of one deployment whose every secret and every record can be told from any other's, and the search for them
in all that the deployment keeps (SPEC A3, R4)."""

import re
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from threading import Event
from typing import NamedTuple

import redis

from lp_pipeline.communications.note_text import mark
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline_tests.account import Account, account_of
from lp_pipeline_tests.accounts_file import add
from lp_pipeline_tests.fleet.deployment import Fleet, deployment_environ, list_accounts
from lp_pipeline_tests.insight.listener import Listener, listening
from lp_pipeline_tests.runs.past import person
from lp_pipeline_tests.runs.upkeep.searching import texts_of
from lp_pipeline_tests.storage.disks import Disk, disk_if_allowed

NEEDLE = re.compile(rb"zq[sr][0-9a-f]{12}")  # `zqs` in each secret, `zqr` in each record
PATIENCE = 300.0  # seconds for which a LeadPerfection that hangs says nothing


class Branch(Account):
    """One account, by the real clock, with a LeadPerfection and a Hatch of its own."""

    name: str
    secret: str
    record: str
    people: int
    said: int

    def begin(self, name: str, listener: Listener) -> None:
        """Give it a name, secrets and two people."""
        self.name, self.secret, self.record = name, f"zqs{token_hex(6)}", f"zqr{token_hex(6)}"
        self.people = self.said = 0
        self.asked, self._answers, self._to_hold = Event(), Event(), 0
        self.lp.clock = lambda: datetime.now(UTC)
        self.lp.before_request = self._hold
        self.lp.switch(password=f"p-{self.secret}", appkey=f"k-{self.secret}", hatch_api_key=f"h-{self.secret}")
        self.with_hatch(
            LP_PASSWORD=f"p-{self.secret}",
            LP_APP_KEY=f"k-{self.secret}",
            HATCH_API_KEY=f"h-{self.secret}",
            INBOX_SECRET=f"{self.secret}-{token_hex(16)}",
            COMMUNICATIONS_FROM="inbox",
            ALERT_WEBHOOK_URL=f"http://127.0.0.1:{listener.port}/{name}/{self.secret}",
            PUSH_SINCE="2026-01-01T00:00:00Z",
            PUSH_DOUBT_SECONDS="3",
        )
        del self.environ["HATCH_EXPORT_KEY"]
        for _ in range(2):
            self.somebody_new()

    def load(self) -> Settings:
        """By the real clock."""
        return load_settings(self.environ)

    brake = 0.0  # seconds that each answer takes

    def go_on(self) -> None:
        """No further question is held."""
        self._to_hold = 0

    def _hold(self, path: str, _fields: dict[str, str]) -> None:
        time.sleep(self.brake)
        if self._to_hold and path.endswith(("GetLead", "GetProspectData")):
            self._to_hold -= 1
            self.asked.set()
            self._answers.wait(PATIENCE)

    @contextmanager
    def held(self, times: int = 1) -> Iterator[None]:
        """Its LeadPerfection leaves so many questions for records without an answer until the block ends."""
        self.asked.clear()
        self._answers.clear()
        self._to_hold = times
        try:
            yield
        finally:
            self._to_hold = 0
            self._answers.set()

    def somebody_new(self) -> None:
        """LeadPerfection has one prospect more."""
        self.now = datetime.now(UTC)
        self.people += 1
        own = {"firstname": f"Ann-{self.record}", "phone1": f"(518)555-{self.people:04}"}
        self.lp.put(person(self, str(self.people), email=f"p{self.people}@{self.record}.example", **own))

    def say(self) -> None:
        """A text lands from Hatch."""
        self.land(
            {
                "id": f"c{self.said}",
                "external_contact_id": "1",
                "category": "sms",
                "direction": "inbound",
                "body": f"Message {self.said} of {self.record}",
                "occurred_at": (datetime.now(UTC) - timedelta(seconds=2)).isoformat(),
            }
        )
        self.said += 1

    def shown(self) -> int:
        """How many opportunities people see."""
        if not (self.folder / "published.duckdb").exists():
            return 0
        return int(self.published("select count(*) from opportunities")[0][0])

    def wrong(self) -> list[str]:
        """What is lost or doubled, in what people see, in Hatch, and in LeadPerfection."""
        shown = self.published("select count(*), count(distinct external_contact_id) from opportunities")[0]
        inserts = self.published("select count(*) from opportunity_changes where column_name is null")[0][0]
        upserts = Counter(str(each["external_contact_id"]) for each in self.lp.hatch_contacts())
        notes = Counter(re.search(r"\[[^\]]*\]", text)[0] for _, text in self.lp.all_notes())  # type: ignore[index]
        found = []
        if shown != (self.people, self.people) or inserts != self.people:
            found.append(f"{shown} opportunities and contacts, {inserts} inserts, instead of {self.people}")
        if upserts != Counter(map(str, range(1, self.people + 1))):
            found.append(f"Hatch has contacts {dict(upserts)} instead of {self.people}")
        if notes != Counter(mark(f"c{number}") for number in range(self.said)):
            found.append(f"LeadPerfection has notes {dict(notes)} instead of {self.said}")
        return [f"{self.name}: {each}" for each in found]


class Branches(NamedTuple):
    """The accounts by name, who hears their alerts, and the small disk, if this user may mount one."""

    by_name: dict[str, Branch]
    listener: Listener
    disk: Disk | None


@contextmanager
def branch(folder: Path, name: str, listener: Listener) -> Iterator[Branch]:
    """One account of the deployment in `folder`, with its settings file and marked folder."""
    own = folder / "branches" / name
    own.mkdir(parents=True, exist_ok=True)
    with account_of(Branch, own) as opened:
        opened.begin(name, listener)
        add(folder, name, opened.environ)
        yield opened


@contextmanager
def branches_of(folder: Path, shards: Mapping[str, str], small: str) -> Iterator[Branches]:
    """A deployment of these accounts, each with its shard, in `folder`; `small` has a small disk of its own."""
    with ExitStack() as stack:
        stack.enter_context(deployment_environ(folder))
        list_accounts(folder, shards)
        listener = stack.enter_context(listening())
        disk = stack.enter_context(disk_if_allowed(folder / "branches" / small / "data"))
        yield Branches({name: stack.enter_context(branch(folder, name, listener)) for name in shards}, listener, disk)


def needles(texts: Iterable[bytes]) -> set[str]:
    """All secrets and records in these texts, whosever they are."""
    return {found.decode() for text in texts for found in NEEDLE.findall(text.lower())}


def needles_below(folder: Path) -> set[str]:
    """The same of all files below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return needles(text for path in files for text in texts_of(path))


def kept_by_all(fleet: Fleet) -> list[bytes]:
    """What the deployment keeps for all accounts: Dagster's database, what is in Redis, and all logs."""
    with redis.Redis.from_url(f"redis://127.0.0.1:{fleet.redis_port}/0") as broker:
        kept = [part for key in broker.keys("*") for part in (key, broker.dump(key) or b"")]
    snapshots = fleet.database.ask("select snapshot_body from snapshots")
    return [
        fleet.database.dump(),
        *(zlib.decompress(bytes(body)) for (body,) in snapshots),
        *kept,
        *(path.read_bytes() for path in fleet.folder.glob("*.log")),
        *(text for path in fleet.home.rglob("*") if path.is_file() for text in texts_of(path)),
    ]


def leaks(branches: Iterable[Branch], fleet: Fleet, listener: Listener) -> list[str]:
    """Whose secrets and records are where they don't belong: in another account's folder or alerts, or in what the
    deployment keeps. Raises `AssertionError` if the search does not find them where they do belong."""
    known = {needle: each.name for each in branches for needle in (each.secret, each.record)}
    found = []
    for each in branches:
        inside = needles_below(each.folder)
        if each.record not in inside and each.shown():
            raise AssertionError(f"The search does not find {each.name}'s records in its own folder.")
        settings = needles([(fleet.folder / "accounts" / f"{each.name}.env").read_bytes()])
        if settings != {each.secret}:
            raise AssertionError(f"The search finds {settings} in the settings of {each.name}.")
        foreign = {known[needle] for needle in inside - {each.record}}
        found += [f"the folder of {each.name} has something of {whose}" for whose in foreign]
    common = kept_by_all(fleet)
    if not any(each.name.encode() in common[0] for each in branches):
        raise AssertionError("The search does not find the names of the accounts in Dagster's database.")
    found += [f"what the deployment keeps has something of {known[needle]}" for needle in needles(common)]
    for path, message in listener.received:
        whose = path.split("/")[1]
        found += [f"an alert of {whose} has something of {known[each]}" for each in needles([message])]
    return found
