"""`lp-pipeline ask`: the ready-made questions of `sql/analysis/`, listed or asked. The questions themselves are SQL."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click
from rich.console import Console

from lp_pipeline.cli.prompt import WRITERS, ask
from lp_pipeline.cli.query import Result, show
from lp_pipeline.settings import Settings
from lp_pipeline.settings.package_data import package_data
from lp_pipeline.storage.sql import statement

PARAMETER = re.compile(r"^-- Parameter (\w+): (.+)$", re.MULTILINE)  # read with getvariable(); unset is its default
COMMENT = re.compile(r"\A(?:--.*\n)+")


@dataclass(frozen=True)
class Question:
    """A file of `sql/analysis/`: its name, what it asks, what else its comment says, its parameters with what they
    mean, and its SQL."""

    name: str
    title: str
    remark: str
    parameters: Mapping[str, str]
    text: str


def questions() -> dict[str, Question]:
    """All questions, by name."""
    paths = sorted((package_data("sql") / "analysis").glob("*.sql"))
    return {path.stem: _question(path.stem, statement(f"analysis/{path.stem}")) for path in paths}


def _question(name: str, text: str) -> Question:
    comment = COMMENT.match(PARAMETER.sub("--", text))
    words = " ".join(line.removeprefix("--").strip() for line in (comment[0] if comment else "").splitlines())
    title, _, remark = re.sub(r"(?<=[.?])\s+", "\n", words, count=1).partition("\n")
    return Question(name, title, remark.strip(), dict(PARAMETER.findall(text)), text)


def show_questions(console: Console, form: str) -> None:
    """The list, as `page`, `csv` or `json`."""
    rows = (
        (each.name, each.title, "\n".join(f"{name}: {meaning}" for name, meaning in each.parameters.items()) or None)
        for each in questions().values()
    )
    listed = Result(["name", "question", "parameters"], ["VARCHAR"] * 3, rows)
    if form != "page":
        WRITERS[form](listed, console.file)
        return
    show(listed, console, folded=True)
    console.print("Ask one: lp-pipeline ask NAME [PARAMETER=VALUE …]", markup=False, highlight=False)


def ask_question(settings: Settings, name: str, given: Sequence[str], console: Console, form: str) -> None:
    """Run one and show its rows. Raises `click.UsageError` for an unknown name or parameter, else as `ask`."""
    question = questions().get(name)
    if not question:
        raise click.UsageError(f"There is no question {name}. `lp-pipeline ask` lists them.")
    values = {}
    for each in given:
        parameter, equals, value = each.partition("=")
        if not equals or parameter not in question.parameters:
            known = " or ".join(f"{one}=VALUE" for one in question.parameters) or "no parameter"
            raise click.UsageError(f"{name} takes {known}, not {each}.")
        values[parameter] = value
    ask(settings, question.text, console, form, variables=values)
