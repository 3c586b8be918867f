"""Contract section 1: tokens, who gets one and what it opens."""

from pathlib import Path

import httpx
import pytest

from lp_pipeline.sandbox import Sandbox

from .lp import ACCOUNT, LEAD, LP, MORNING, PROSPECT, Clock


def test_signing_in_gives_a_token_for_a_day_and_names_the_permitted_functions(lp: LP) -> None:
    """The response has the fields that the contract lists."""
    body = lp.sign_in().json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 86399
    assert body["user_data"]["Emp_ID"] == 64
    assert {"GetLead", "GetProspectData"} <= set(body["user_data"]["Settings"])


@pytest.mark.parametrize("wrong", [*ACCOUNT, "nothing"])
def test_any_wrong_credential_is_an_invalid_grant(lp: LP, sandbox: Sandbox, wrong: str) -> None:
    """400 with the OAuth error, also with correct credentials if LP refuses."""
    sandbox.switch(refuse_sign_in=wrong == "nothing")
    answer = lp.post("/token", **{"grant_type": "password", **ACCOUNT, **({wrong: "x"} if wrong in ACCOUNT else {})})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_credentials_can_be_changed(lp: LP, sandbox: Sandbox) -> None:
    """The credentials are switches."""
    sandbox.switch(username="ann", password="elm")
    assert lp.post("/token", grant_type="password", **ACCOUNT).status_code == 400
    right = {**ACCOUNT, "username": "ann", "password": "elm"}
    assert lp.post("/token", grant_type="password", **right).status_code == 200


def test_only_the_password_grant_exists(lp: LP) -> None:
    """Anything else is refused."""
    assert lp.post("/token", grant_type="refresh_token", **ACCOUNT).status_code == 400


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer 99999999999.abc", "Basic c2FuZGJveA=="])
def test_no_call_works_without_a_good_token(lp: LP, header: str) -> None:
    """401 with LP's message."""
    lp.headers = {"Authorization": header}
    answer = lp.post(LEAD, **MORNING)
    assert answer.status_code == 401
    assert answer.json() == {"Message": "Authorization has been denied for this request."}


def test_a_token_ends_after_a_day(lp: LP, clock: Clock) -> None:
    """It works to the last second, and not after it."""
    clock.turn(seconds=86398)
    assert lp.post(LEAD, **MORNING).status_code == 200
    clock.turn(seconds=1)
    assert lp.post(LEAD, **MORNING).status_code == 401


def test_a_token_works_at_every_server_of_its_own_world_only(lp: LP, sandbox: Sandbox, tmp_path: Path) -> None:
    """Processes share a world, so a token outlives its server; another world does not know it."""
    stranger = Sandbox(tmp_path / "other", clock=sandbox.clock, population=0)
    for served, status in ((sandbox, 200), (stranger, 401)):
        with served.serve() as url, httpx.Client(base_url=url) as http:
            other = LP(http)
            other.headers = lp.headers
            assert other.post(LEAD, **MORNING).status_code == status


def test_a_user_without_a_function_gets_401_for_it_alone(lp: LP, sandbox: Sandbox) -> None:
    """Permissions are per function, and sign-in lists them if the switch allows."""
    sandbox.switch(permissions=["GetLead"])
    assert lp.sign_in().json()["user_data"]["Settings"] == ["GetLead"]
    assert lp.post(LEAD, **MORNING).status_code == 200
    assert lp.post(PROSPECT, **MORNING).status_code == 401
    sandbox.switch(user_data=False)
    assert "user_data" not in lp.sign_in().json()
