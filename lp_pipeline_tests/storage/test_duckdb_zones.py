"""DuckDB's reading of a time zone, as Python sees it (SPEC J5)."""

from datetime import UTC, datetime, tzinfo
from functools import cache

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.duckdb_zones import as_zone, duckdb_shifts, with_both_readings, zone_warning
from lp_pipeline_tests.scenario import LIVE

NEW_YORK = "America/New_York"
BEGIN, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def settings(now: str, zone: str = NEW_YORK) -> Settings:
    return load_settings({**LIVE, "LP_TIMEZONE": zone, "LP_PIPELINE_NOW": now})


@pytest.mark.parametrize("now", ["1970-01-02T00:00:00Z", "2026-11-26T12:00:00Z", "2199-12-30T23:59:59Z"])
def test_where_both_read_a_zone_alike_nothing_is_said(now: str) -> None:
    """J5: at the calendar's ends, too."""
    assert zone_warning(settings(now)) is None
    assert with_both_readings(settings(now)).duckdb_zone is None


ENGINE = duckdb.connect()  # starting one takes longer than all that an example does


@cache
def made_of_shifts(zone: str) -> tzinfo:
    return as_zone(duckdb_shifts(zone, BEGIN, END), zone)


@given(
    zone=st.sampled_from([NEW_YORK, "America/Phoenix", "America/St_Johns", "America/Havana", "Australia/Lord_Howe"]),
    moment=st.datetimes(BEGIN.replace(tzinfo=None), END.replace(tzinfo=None)),
)
def test_the_zone_made_of_duckdbs_shifts_reads_every_instant_as_duckdb_does(zone: str, moment: datetime) -> None:
    """J5: clock changes included, be they an hour or half of one."""
    instant = moment.replace(tzinfo=UTC)
    with ENGINE.cursor() as connection:
        ((wall,),) = connection.execute("select timezone($1, $2::timestamptz)", [zone, instant]).fetchall()
    assert instant.astimezone(made_of_shifts(zone)).replace(tzinfo=None) == wall


def test_a_zone_that_duckdb_does_not_know_is_named() -> None:
    """J5: the locked database may be newer than DuckDB."""
    with pytest.raises(SettingsError, match=r"LP_TIMEZONE=Mars/Base.*Upgrade the package duckdb"):
        duckdb_shifts("Mars/Base", BEGIN, END)
