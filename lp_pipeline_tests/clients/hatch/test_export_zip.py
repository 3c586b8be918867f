"""Bulk exports: how they are asked for, what comes out of a zip, and what each kind of failure leads to."""

import io
import zipfile
from contextlib import suppress
from datetime import date

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lp_pipeline.clients.hatch.export_zip import BadExport, unpacked
from lp_pipeline.errors import HatchError, HatchExportTooLarge, HatchStopped, HatchUnavailable, SettingsError

from .fakes import EXPORT_KEY, PERSONAL, FakeHatch, Reply, exported, item, response, settings, texts, zipped

DAY = date(2026, 3, 1)


def export(*replies: Reply) -> list[bytes]:
    hatch = FakeHatch(list(replies))
    try:
        with hatch.client() as client:
            return client.export("conversation_items", DAY, DAY)
    finally:
        assert len(hatch.requests) == 1  # whatever comes, one attempt


def test_an_export_is_asked_for_by_source_and_days_under_its_own_key() -> None:
    """Contract 2: GET /api/v1/export-data with data_source, start_date, end_date and the reporting key."""
    hatch = FakeHatch([exported([item()])])
    with hatch.client() as client:
        client.export("contact_history", date(2026, 2, 1), DAY)
    (request,) = hatch.requests
    assert request.method == "GET"
    assert str(request.url) == (
        "https://export.example.test/api/v1/export-data?data_source=contact_history"
        "&start_date=2026-02-01&end_date=2026-03-01"
    )
    assert request.headers["authorization"] == f"Bearer {EXPORT_KEY}"


def test_each_line_comes_out_verbatim_and_blank_ones_are_passed_over() -> None:
    """Contract 2: one file of newline-delimited JSON."""
    lines = [b'{"id": 1,  "x":"\xc3\xa9"}', b"", b'{"id":2}\r', b"  ", b'{"id":3}']
    found = export(exported(lines))
    assert found == [b'{"id": 1,  "x":"\xc3\xa9"}', b'{"id":2}', b'{"id":3}']


def test_lines_that_are_no_objects_come_out_too() -> None:
    """One bad line never costs the others, and is not lost: what reads it says what is wrong."""
    lines = [b'{"id":1}', b"[1]", b"null", b'{"id":', b"\xff\xfe", b'{"id":2}']
    assert export(exported(lines)) == lines


def test_a_byte_order_mark_and_several_files_are_no_trouble() -> None:
    """One file is promised; a Mac's zip brings more."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.mkdir("data")
        archive.writestr("data/a.json", b'\xef\xbb\xbf{"id":1}\n')
        archive.writestr("__MACOSX/._a.json", b'{"id":0}')
        archive.writestr("data/b.json", b'{"id":2}')
    assert unpacked(buffer.getvalue()) == [b'{"id":1}', b'{"id":2}']


def test_an_export_without_rows_is_none_the_worse() -> None:
    """A quiet day."""
    assert export(exported([])) == []
    assert unpacked(zipped()) == []


@given(st.lists(st.binary(max_size=30).map(lambda each: each.replace(b"\n", b"").replace(b"\r", b""))))
def test_every_line_that_is_not_blank_comes_out(lines: list[bytes]) -> None:
    """Nothing is lost."""
    found = unpacked(zipped(b"\n".join(lines)))
    blank = sum(not each.removeprefix(b"\xef\xbb\xbf").strip() for each in lines)
    assert len(found) + blank == len(lines)


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    """R1: no export takes all the memory; one long line counts as well as many."""
    for content in (b" " * 10_000_000, b"{}\n" * 3_000_000):
        with pytest.raises(BadExport, match="more than 1000000 bytes"):
            unpacked(zipped(content), largest=1_000_000)
    assert unpacked(zipped(b"{}\n" * 10), largest=30) == [b"{}"] * 10


def test_an_answer_of_413_asks_for_half_the_range() -> None:
    """Contract 2: 413 above 100 MB uncompressed."""
    with pytest.raises(HatchExportTooLarge, match="half the range"):
        export(httpx.Response(413))


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (401, "HATCH_EXPORT_KEY"),
        (403, "HATCH_EXPORT_KEY"),
        (404, "HATCH_EXPORT_URL"),
        (302, "HATCH_EXPORT_URL"),
        (422, "HATCH_EXPORT_KEY"),
    ],
)
def test_what_only_a_change_helps_against_says_which(status: int, names: str) -> None:
    """House rules: what was tried, what came back, what to do."""
    with pytest.raises(HatchStopped, match=names) as caught:
        export(response({"errors": {"detail": PERSONAL}}, status))
    assert "the export of conversation_items from 2026-03-01 to 2026-03-01" in str(caught.value)
    assert caught.value.words == PERSONAL


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (response({"errors": {"detail": "one in 5 minutes"}}, 429, retry_after="240"), "HTTP 429"),
        (httpx.Response(503), "HTTP 503"),
        (httpx.ReadTimeout("x"), "no whole answer within 120 s"),
        (httpx.ConnectError("x"), "could not be reached at https://export.example.test"),
        (httpx.Response(200, html=f"<p>{PERSONAL}"), r"no export \(HTTP 200, text/html, \d+ bytes\).*BadZipFile"),
        (httpx.Response(200, content=b""), "no content type, 0 bytes"),
        (httpx.Response(200, content=zipped(item() * 99)[:-40]), "can't be unpacked"),
        (httpx.Response(200, content=zipped(item() * 99).replace(b"export-0", b"export-1", 1)), "can't be unpacked"),
        (response([{"id": 1}]), "application/json"),
    ],
)
def test_what_may_pass_is_asked_for_once_and_left_to_later(reply: Reply, says: str) -> None:
    """Contract 2: one export in 5 minutes, so there are no retries here."""
    with pytest.raises(HatchUnavailable, match=says) as caught:
        export(reply)
    assert not any(secret in text for text in texts(caught.value) for secret in (PERSONAL, EXPORT_KEY))
    assert "asked for again later" in str(caught.value)


def test_hatchs_wish_is_handed_on() -> None:
    """C1: within Hatch's limits; the caller keeps the ledger."""
    with pytest.raises(HatchUnavailable) as caught:
        export(httpx.Response(429, headers={"retry-after": "240"}))
    assert caught.value.wait == 240


@given(st.binary())
def test_whatever_bytes_come_as_a_zip_the_error_is_one_of_ours(content: bytes) -> None:
    """R1: no answer of Hatch's is a crash."""
    client = FakeHatch([httpx.Response(200, content=content)]).client()
    with client, pytest.raises(HatchError):
        client.export("conversation_items", DAY, DAY)


def test_the_lines_of_a_file_without_a_name_are_read_too() -> None:
    """R1: neither a crash nor lines that are skipped silently."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("named", item())
    assert unpacked(packed.getvalue().replace(b"named", b"\0amed")) == unpacked(packed.getvalue())


@example(place=302, byte=0)  # a file without a name
@given(st.integers(0, 400), st.integers(0, 255))
def test_a_zip_with_one_wrong_byte_is_read_or_an_error_of_ours(place: int, byte: int) -> None:
    """R1: no answer of Hatch's is a crash."""
    content = bytearray(zipped(item() + b"\n" + item(id="2")))
    content[place % len(content)] = byte
    client = FakeHatch([httpx.Response(200, content=bytes(content))]).client()
    with client, suppress(HatchUnavailable):
        assert len(client.export("conversation_items", DAY, DAY)) <= 2


@pytest.mark.parametrize("end", [date(2026, 2, 28), date(2026, 8, 28)])
def test_a_range_that_hatch_would_refuse_is_not_asked_for(end: date) -> None:
    """Contract 2: at most 180 days, which is a caller's to keep."""
    hatch = FakeHatch()
    with hatch.client() as client, pytest.raises(ValueError, match="1 to 180 days"):
        client.export("conversation_items", DAY, end)
    assert hatch.requests == []


def test_a_missing_key_is_an_error_that_names_it() -> None:
    """Names: the export has a key of its own."""
    with FakeHatch().client(settings(HATCH_EXPORT_KEY="")) as client, pytest.raises(SettingsError, match="EXPORT_KEY"):
        client.export("conversation_items", DAY, DAY)
