"""`doctor`'s checks of LeadPerfection: the sign-in, what its user may do, its clock, both feeds, the time zone, and
what pushes need. They read a few small pages and write nothing.
"""

from datetime import timedelta

from lp_pipeline.clients.leadperfection import Answer, feeds
from lp_pipeline.clients.leadperfection.auth import UNLOCK
from lp_pipeline.communications import ownership
from lp_pipeline.communications.payloads import missing_settings
from lp_pipeline.communications.targets import CALL_LOG, switches
from lp_pipeline.errors import LeadPerfectionError
from lp_pipeline.insight.examination import Examination, Finding, fail, ok, unknown
from lp_pipeline.insight.probe import fits, function_of, newest_stamp, places_that_fit
from lp_pipeline.insight.words import count, length
from lp_pipeline.runs.reports import PushOutcome, last
from lp_pipeline.settings import CHANNELS
from lp_pipeline.storage.duckdb_zones import zone_warning

HARMLESS = timedelta(minutes=2)  # windows overlap by far more than that
WRONG = timedelta(minutes=30)  # a stamp so far ahead is of another zone: those are whole hours apart
NAMES = {"note": "notes", "call_log": "call logs", "production_note": "production notes"}


def sign_in(examination: Examination) -> Finding:
    """That LeadPerfection takes the credentials. Raises `LeadPerfectionError`."""
    settings, client = examination.settings, examination.client
    client.sign_in()
    seconds = client.token_seconds
    holds = f", token good for {length(timedelta(seconds=round(seconds, -2)))}" if seconds else ""
    where = client.host if settings.lp_api_url else "the sandbox"
    return ok(f'user "{settings.lp_username}" at {where}{holds}')


def permissions(examination: Examination) -> Finding:
    """That the user may call each function which the settings need: reading is tried, writing is looked up."""
    access = examination.access
    advice = f"In LeadPerfection: {UNLOCK}."
    if access.refused:
        names = " and ".join(access.refused)
        return fail(f"LeadPerfection refuses {names} to this user", advice)
    if access.unlisted:
        names = " and ".join(access.unlisted)
        return fail(f"{names}: not among the functions that LeadPerfection lists for this user", advice)
    reading = [function_of(feed.action) for feed in feeds(examination.settings) if feed]
    writing = [name for name in access.needed if name not in reading]
    if access.unlisted is None and writing:
        return ok(f"may call {', '.join(reading)}; whether {', '.join(writing)} is permitted, the first push shows")
    return ok(f"may call {', '.join(access.needed)}")


def clock(examination: Examination) -> Finding:
    """That LeadPerfection's clock and this machine's agree."""
    if examination.settings.fixed_now:
        return unknown("LP_PIPELINE_NOW stops the pipeline's clock")
    clocks = examination.access.clock
    if clocks is None:
        return unknown("LeadPerfection's answers carry no date")
    behind = clocks[1] - clocks[0]
    side = "behind" if behind > timedelta() else "ahead of"
    found = f"LeadPerfection is {length(abs(behind))} {side} this machine"
    if abs(behind) <= HARMLESS:
        return ok(found)
    return fail(
        found, "Check this machine's clock (timedatectl). If it is right, what changed may arrive that much late."
    )


def lead_feed(examination: Examination) -> Finding:
    """What a small page of the lead feed brings. Raises `LeadPerfectionError`."""
    return _feed(examination, 0)


def prospect_feed(examination: Examination) -> Finding:
    """The same of the prospect feed."""
    return _feed(examination, 1)


def _feed(examination: Examination, place: int) -> Finding:
    feed = feeds(examination.settings)[place]
    if feed is None:
        return unknown("off (LP_PROSPECT_ACTION=off)")
    page, function = examination.access.pages[feed.name], function_of(feed.action)
    if function in examination.access.refused:
        return unknown("not checked")
    if isinstance(page, LeadPerfectionError):
        raise page
    return ok(f"{function} answers in {page.elapsed:.1f} s {_changed(page)}")


def _changed(page: Answer) -> str:
    number = len(page.records)
    return f"with a page of {count(number, 'prospect')}" if number else "(nothing changed within a day)"


def time_zone(examination: Examination) -> Finding:
    """That the newest change stamp fits LP_TIMEZONE by LeadPerfection's clock; a quiet hour proves nothing."""
    settings, access = examination.settings, examination.access
    if feeds(settings)[0].name in [name for name, page in access.pages.items() if isinstance(page, Exception)]:
        return unknown("not checked")
    if warning := zone_warning(settings):
        return fail(*warning.split(". ", 1))
    now = access.clock[0] if access.clock else settings.now()
    stamp, zone = newest_stamp(examination.client, settings, now), settings.lp_timezone
    if stamp is None:
        return unknown(f"{zone}; nothing has changed for days, so it can't be compared")
    age = now.astimezone(settings.zone).replace(tzinfo=None) - stamp
    if age < -WRONG:
        better = " or ".join(places_that_fit(stamp, now)) or "the place whose time LeadPerfection shows"
        return fail(
            f"the newest change is stamped {length(abs(age))} ahead of {zone}",
            f"Set LP_TIMEZONE to {better}, and run:  lp-pipeline rezone",
        )
    if fits(stamp, now, zone):
        return ok(f"{zone} fits: the newest change is stamped {length(abs(age))} ago")
    return unknown(f"{zone}; the newest change is {length(abs(age))} old, too old to prove it")


def pushes(examination: Examination) -> Finding:
    """That what is on has the settings which it needs, and that this data folder is the one that pushes.

    Raises `SettingsError` if another one is.
    """
    settings = examination.settings
    are_on = switches(settings)
    if not any(are_on.values()):
        return unknown("off (PUSH_COMMUNICATIONS and the three targets)")
    ownership.check(settings)
    employee = examination.client.employee_id
    if are_on[CALL_LOG] and (missing := missing_settings(settings, employee, CHANNELS[:-1])):
        return fail(f"call logs are on without {' and '.join(missing)}", "Set this in lp_pipeline.env.")
    outcome = last(examination.connections.outbox, PushOutcome)
    if outcome and outcome.errors:
        return fail("the last push failed", " ".join(outcome.errors))
    found = ", ".join(f"{NAMES[target]} {'on' if is_on else 'off'}" for target, is_on in are_on.items())
    if not are_on[CALL_LOG]:
        return ok(found)
    source = "set" if settings.lp_employee_id else "from the sign-in"
    return ok(f"{found}; employee {settings.lp_employee_id or employee} ({source}), codes set")
