"""How `lp-pipeline connect` gets its answers: from options, from the environment, from the settings file, or by asking.
Which questions there are, and what is done with the answers, is in `connecting`.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from lp_pipeline.cli.console import console
from lp_pipeline.errors import SettingsError

Check = Callable[[str], str]
YES = ("true", "1", "yes", "on")


class Interview:
    """The answers so far, by the setting's name. `given` are those of options, `kept` those of the settings file.

    An answer from an option or the environment is taken as it is, the file's is proposed. If `silent`, nothing is asked
    and proposals are taken. A missing or wrong answer then raises `SettingsError`.
    """

    def __init__(self, given: Mapping[str, str], kept: Mapping[str, str], *, silent: bool) -> None:
        self.answers: dict[str, str] = {}
        self.kept = kept
        self.silent = silent
        self._given = given
        self._anew = False

    def anew(self) -> None:
        """From now on ask for everything again: the answers so far, which are proposed, were not good."""
        self._anew = True

    def good(self) -> None:
        """The answers so far were good."""
        self._anew = False

    def say(self, text: str) -> None:
        """Introduce what is asked next."""
        if not self.silent:
            console().print(text, markup=False, highlight=False)

    def text(self, name: str, question: str, proposal: str = "", check: Check = str.strip, option: str = "") -> str:
        """A text as `check` returns it, which raises `ValueError` with what to write instead."""
        found = self._known(name)
        if not found and self.silent:
            found = self._proposed(name, proposal)
        if found:
            return self._keep(name, _checked(name, found, check))
        if self.silent:
            raise _missing(name, option)
        return self._keep(name, _ask(question, self._proposed(name, proposal), check))

    def secret(self, name: str, question: str, option: str, *, optional: bool = False) -> str:
        """A text that is not shown while it is typed; with `optional` there may be none."""
        found, proposed = self._known(name), self._proposed(name, "")
        if not found and self.silent:
            found = proposed
            if not found and not optional:
                raise _missing(name, option)
        elif not found:
            hint = "; Enter for the same as before" if proposed else "; Enter for none" if optional else ""
            default = proposed if proposed or optional else None
            prompt = f"{question} (not shown{hint})"
            found = click.prompt(prompt, default=default, hide_input=True, show_default=False)
        return self._keep(name, found)

    def yes(self, name: str, question: str, *, proposal: bool, if_asked: bool = True) -> bool:
        """A switch; unless `if_asked`, nobody is asked and the proposal holds."""
        found = self._known(name)
        if not found:
            proposal = self._proposed(name, str(proposal)).lower() in YES
            found = str(click.confirm(question, default=proposal) if if_asked and not self.silent else proposal)
        is_on = found.lower() in YES
        self._keep(name, str(is_on).lower())
        return is_on

    def fixed(self, name: str, value: str) -> None:
        """An answer that nobody is asked for, unless there is one."""
        self._keep(name, self._known(name) or self._proposed(name, value))

    def only_if_given(self, name: str, check: Check) -> None:
        """An answer that only an option or the environment gives."""
        if found := self._known(name):
            self._keep(name, _checked(name, found, check))

    def _known(self, name: str) -> str:
        """The answer of an option or the environment; nothing if there is none, or if it turned out not to be good."""
        if self._anew:
            return ""
        outside = os.environ.get(name, "")
        return self._given.get(name, "") or (outside if outside.strip() else "")

    def _proposed(self, name: str, proposal: str) -> str:
        return self.answers.get(name) or self.kept.get(name, "") or proposal

    def _keep(self, name: str, answer: str) -> str:
        self.answers[name] = answer
        return answer


def content(path: Path, option: str) -> str:
    """The one line of a secret's file. Raises `SettingsError`."""
    try:
        found = path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeError):
        raise SettingsError(f"{option} {path} can't be read as text. Nothing was written.") from None
    if not found.strip() or "\n" in found:
        raise SettingsError(f"{option} {path} must hold one line. Nothing was written.")
    return found


def _ask(question: str, proposal: str, check: Check) -> str:
    def valid(answer: str) -> str:
        try:
            return check(answer)
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    return str(click.prompt(question, default=proposal or None, value_proc=valid))


def _checked(name: str, answer: str, check: Check) -> str:
    try:
        return check(answer)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}. Nothing was written.") from None


def _missing(name: str, option: str) -> SettingsError:
    return SettingsError(f"{name} is missing. Give {option}, or set {name} in the environment. Nothing was written.")
