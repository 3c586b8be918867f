"""SPEC A1 to A5: the commands of docs/many-accounts.md make three accounts of one, and then do what the page says."""

import shlex
import subprocess
from contextlib import ExitStack, chdir
from pathlib import Path

import pytest
from click.testing import CliRunner
from dagster._cli import cli as dagster_cli

from lp_pipeline.cli.main import main
from lp_pipeline.sandbox import Sandbox
from lp_pipeline.settings import SANDBOX_ACCOUNT
from lp_pipeline_tests.pages import all_commands, blocks
from lp_pipeline_tests.scenario import NOON

PAGE = "docs/many-accounts.md"
NAMES = ("albany", "boston", "chicago")
COUNT = "sql 'select count(*) as n from opportunities'"


class Owner:
    """Somebody with one account, whose settings and data are in this folder, and with a LeadPerfection."""

    def __init__(self, folder: Path, addresses: dict[str, str]) -> None:
        self.folder, self.addresses = folder, addresses
        self.environ: dict[str, str | None] = {
            "LP_PIPELINE_DATA": str(folder / "data" / "live"),
            "LP_PIPELINE_SETTINGS": str(folder / "lp_pipeline.env"),
            "LP_PIPELINE_NOW": NOON.isoformat(),
            "DAGSTER_HOME": str(folder / "home"),
            "LP_ACCOUNT": "",
        }

    def types(self, line: str, code: int | None = 0) -> str:
        """What a line of the page prints."""
        program, *words = shlex.split(line.replace(".venv/bin/", ""))
        with chdir(self.folder):
            if program not in ("lp-pipeline", "dagster"):
                return subprocess.run(["bash", "-c", line], check=True, capture_output=True, text=True).stdout
            tree = main if program == "lp-pipeline" else dagster_cli
            result = CliRunner(env=self.environ).invoke(tree, words)
        assert code is None or result.exit_code == code, (line, result.output, result.exception)
        return result.output

    def settings(self, name: str) -> str:
        """What an account's settings file holds."""
        values = {"LP_API_URL": self.addresses[name], **SANDBOX_ACCOUNT, "LP_RATE_PER_MINUTE": "60000"}
        return "".join(f"{name}={value}\n" for name, value in values.items())


ASKS = "lp-pipeline --account boston connect"  # here it is given its answers as options
NOT_HERE = ("make", "pip")  # see ELSEWHERE in test_pages.py


@pytest.mark.slow
def test_one_account_becomes_three(tmp_path: Path) -> None:
    """In the order of the page: the first one keeps its data, the others are filled in, and each command is about the
    account that it names, or about all."""
    for name in ("albany", "boston", "chicago", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    (tmp_path / "secret").write_text("sandbox\n")
    inits, moves = (block.text for block in blocks("sh") if block.page == PAGE)
    with ExitStack() as stack:
        lps = {name: Sandbox(tmp_path / name, clock=lambda: NOON, population=5) for name in NAMES}
        owner = Owner(tmp_path, {name: stack.enter_context(lp.serve()) for name, lp in lps.items()})
        (tmp_path / "lp_pipeline.env").write_text(owner.settings("albany"))
        (tmp_path / "lp_pipeline.env").chmod(0o600)
        owner.types("lp-pipeline backfill --from 2026-02-01 --to 2026-03-01")
        before = owner.types(f"lp-pipeline {COUNT}")
        owner.environ |= {
            "LP_PIPELINE_ACCOUNTS": str(tmp_path / "accounts.toml"),
            "LP_PIPELINE_DATA": str(tmp_path / "data"),
            "LP_PIPELINE_SETTINGS": None,
        }
        for line in [*inits.splitlines(), *moves.splitlines()]:
            owner.types(line)
        assert owner.types(f"lp-pipeline --account albany {COUNT}") == before
        (tmp_path / "accounts" / "chicago.env").write_text(owner.settings("chicago"))
        owner.types(
            f"{ASKS} --no-input --lp-url {owner.addresses['boston']} --client-id sandbox --username sandbox "
            "--timezone America/New_York --no-push --no-backfill --password-file secret --app-key-file secret"
        )
        written = [each for each in all_commands() if each.page == PAGE and each.words[0] not in NOT_HERE]
        others = [each for each in written if str(each) != ASKS and "accounts init" not in str(each)]
        lines = [shlex.join(each.words) for each in others if each.words[0] not in ("mv", "rm")]
        shown = {line: owner.types(line, code=None) for line in lines}
    assert all(f"ok    {name}\n" in shown["lp-pipeline accounts check"] for name in NAMES)
    assert all(name in shown["lp-pipeline fleet"] for name in NAMES)
    assert "RUN_SUCCESS" in next(text for line, text in shown.items() if line.startswith("dagster"))
