"""What a LeadPerfection account shows when it is asked: which functions it permits, a page of each feed, the newest
change stamp, and the time zones that this stamp fits. Reads only, stores nothing; `doctor` and `connect` judge by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lp_pipeline.clients.leadperfection import Answer, Client, Feed, Window, as_sent, feeds
from lp_pipeline.clients.leadperfection.change_stamps import change_stamps
from lp_pipeline.clients.lp_dates import read_date
from lp_pipeline.communications.targets import CALL_LOG, NOTE, PRODUCTION_NOTE, targets_on
from lp_pipeline.errors import LeadPerfectionError, SignInRefused
from lp_pipeline.settings import Settings
from lp_pipeline.settings.zones import US_PLACES

A_FEW = 10  # records: enough to see that it is a page of prospects
A_DAY = timedelta(days=1)
RECENT = timedelta(minutes=50)  # less than an hour, so that a fresh stamp fits the zones of one offset only
AHEAD = timedelta(minutes=5)  # what LeadPerfection's clocks may differ among each other


@dataclass(frozen=True)
class Access:
    """What this user may do with the API, as far as it can be seen without writing.

    `pages` has, by the feed's name, what a small page of it brought: the answer, or the error. `unlisted` are functions
    for writing that LeadPerfection does not name among the user's; None if it names none at all.
    """

    pages: dict[str, Answer | LeadPerfectionError]
    refused: dict[str, SignInRefused]  # by function
    needed: tuple[str, ...]
    unlisted: tuple[str, ...] | None

    @property
    def clock(self) -> tuple[datetime, datetime] | None:
        """LeadPerfection's clock and ours at one moment; None if its answers carry no date."""
        answers = (each for each in self.pages.values() if isinstance(each, Answer))
        return next(((each.lp_clock, each.received_at) for each in answers if each.lp_clock), None)


def access(client: Client, settings: Settings) -> Access:
    """Ask each feed for a small page, and compare what pushes need with the functions that the sign-in listed."""
    pages: dict[str, Answer | LeadPerfectionError] = {}
    refused: dict[str, SignInRefused] = {}
    for feed in filter(None, feeds(settings)):
        try:
            pages[feed.name] = _last_day(client, feed, settings)
        except LeadPerfectionError as error:
            pages[feed.name] = error
            if isinstance(error, SignInRefused):
                refused[function_of(feed.action)] = error
    reading = tuple(function_of(feed.action) for feed in feeds(settings) if feed)
    writing = tuple(_writing(settings))
    listed = client.permissions
    unlisted = None
    if listed is not None:
        known = {name.casefold() for name in listed}
        unlisted = tuple(name for name in writing if name.casefold() not in known)
    return Access(pages, refused, (*reading, *writing), unlisted)


def function_of(action: str) -> str:
    """The name under which LeadPerfection permits an action: `GetLead` of `Customers/GetLead`."""
    return action.rpartition("/")[2]


def newest_stamp(client: Client, settings: Settings, now: datetime) -> datetime | None:
    """The latest change stamp in the lead feed, as wall time, if something changed within a few hours.

    Windows that begin a little before now, as the clocks of each zone show it, are asked for from east to west: the
    first that holds something holds the newest, however many records changed today. `now` is LeadPerfection's clock.
    """
    clocks = sorted({_wall(now, place) for place in US_PLACES}, reverse=True)
    end = clocks[0] + A_DAY
    for begin in [clock - RECENT for clock in clocks] + [clocks[-1] - 3 * A_DAY]:
        stamps = _stamps_between(client, settings, begin, end)
        if newest := max(stamps, default=None):
            return newest
    return None


def fits(stamp: datetime, now: datetime, place: str) -> bool:
    """Whether a change stamped like that may just have happened, if LeadPerfection's clocks are those of this place."""
    return -AHEAD <= _wall(now, place) - stamp <= RECENT


def places_that_fit(stamp: datetime, now: datetime) -> list[str]:
    """The places in the United States that it fits, the most common first."""
    return [place for place in US_PLACES if fits(stamp, now, place)]


def _wall(now: datetime, place: str) -> datetime:
    return now.astimezone(ZoneInfo(place)).replace(tzinfo=None)


def _writing(settings: Settings) -> Iterable[str]:
    functions = {
        NOTE: "AddNotes",
        CALL_LOG: "AddCallHistory",
        PRODUCTION_NOTE: function_of(settings.lp_production_note_action),
    }
    return dict.fromkeys(functions[target] for target in targets_on(settings))


def _last_day(client: Client, feed: Feed, settings: Settings) -> Answer:
    now = settings.now()
    return _page(client, feed, as_sent(Window(now - A_DAY, now), settings.zone).fields(), A_FEW)


def _stamps_between(client: Client, settings: Settings, begin: datetime, end: datetime) -> list[datetime]:
    window = {"startdate": f"{begin:%Y-%m-%d %H:%M:%S}", "enddate": f"{end:%Y-%m-%d %H:%M:%S}"}
    answer = _page(client, feeds(settings)[0], window, settings.lp_page_size)
    found = (read_date(stamp) for value in answer.values for stamp in change_stamps(value))
    walls = (each.replace(tzinfo=None) for each in found if each is not None and each.tzinfo is None)
    return [each for each in walls if begin <= each <= end]


def _page(client: Client, feed: Feed, window: dict[str, str], size: int) -> Answer:
    fields = {
        **window,
        **dict.fromkeys(("cst_id", "lds_id", "ils_id"), "0"),
        "options": str(feed.options),
        "PageSize": str(size),
        "StartIndex": "1",
    }
    return client.call(feed.action, fields)
