"""How an instant is written for people: in the account's time zone."""

from datetime import datetime

from lp_pipeline.settings import Settings


def moment(instant: datetime, settings: Settings) -> str:
    """`Nov 25 3:46 PM`, with the year if it is not this one."""
    local = instant.astimezone(settings.zone)
    year = "" if local.year == settings.now().astimezone(settings.zone).year else f", {local.year}"
    return f"{local:%b} {local.day}{year} {local.hour % 12 or 12}:{local:%M %p}"
