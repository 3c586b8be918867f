"""Writes the answers of `lp-pipeline connect`: shown first, secrets masked, and never over a value without a yes."""

import os
from pathlib import Path

import click

from lp_pipeline.cli.interview import Interview
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import Settings, accounts_file, load_settings
from lp_pipeline.settings.edit import edited, replace_file

HEADING = "# Made by `lp-pipeline connect`. All settings: lp_pipeline.env.example\n"
SECRETS = ("LP_PASSWORD", "LP_APP_KEY", "HATCH_API_KEY", "HATCH_EXPORT_KEY", "INBOX_SECRET")
MASKED = "********"


def write(path: Path, before: bytes | None, interview: Interview, *, replace: bool) -> None:
    """Show what changes and write it after a yes; with `replace`, also over values that are set already.

    `before` is the file as it was when the questions began. Raises `SettingsError`, and then nothing is written.
    """
    interview.fixed("LP_PIPELINE_SANDBOX", "false")  # from now on a missing address is an error
    answers = {name: value for name, value in interview.answers.items() if value}
    load_settings({**interview.kept, **answers})
    if not accounts_file():  # with one, the environment sets nothing of an account
        _check_environment(answers)
    changes = {name: value for name, value in answers.items() if interview.kept.get(name) != value}
    if not changes:
        click.echo(f"\n{path} has all of this already.\n")
        return
    replaced = [name for name in changes if _is_chosen(name, interview.kept.get(name, ""))]
    click.echo(f"\n{path}{' (new)' if before is None else ''}, readable by you only:")
    for name, value in changes.items():
        remark = "   replaces another value" if name in replaced else ""
        click.echo(f"  {name:<26}{MASKED if name in SECRETS else value}{remark}")
    if replaced and not replace:
        names = ", ".join(replaced)
        if interview.silent:
            raise SettingsError(
                f"{path} sets {names} to something else. Give --replace to replace that. Nothing was written."
            )
        click.confirm(f"Replace {names}, and write the rest?", default=False, abort=True)
    elif not interview.silent:
        click.confirm("Write it?", default=True, abort=True)
    text = HEADING if before is None else before.decode("utf-8-sig")
    replace_file(path, edited(text, changes), before)
    click.echo(f"Wrote {path}.\n")


def _is_chosen(name: str, value: str) -> bool:
    """Whether somebody set it: what the example file shows, and a copy of it has, is the default."""
    return bool(value) and Settings.model_validate({name: value}) != Settings.model_validate({})


def _check_environment(answers: dict[str, str]) -> None:
    for name, value in answers.items():
        outside = os.environ.get(name, "")
        if outside.strip() and outside.strip() != value.strip():
            raise SettingsError(
                f"{name} has another value in the environment, which wins over the file. Unset it there and run this "
                "again. Nothing was written."
            )
