"""Where settings come from: the environment and one file, `lp_pipeline.env`, read anew each time (SPEC, "Names").

Not `.env`: Dagster copies that over the environment when it starts, so that it would have two readers with opposite
precedence, and the copy would be out of date after the first edit.
"""

import difflib
import os
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream
from pydantic import SecretStr

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings.model import Settings, base_folder

FILE = "lp_pipeline.env"
FILE_SETTING = "LP_PIPELINE_SETTINGS"  # names another file; only in the environment
ELSEWHERE = ("LP_PIPELINE_ACCOUNTS", "LP_ACCOUNT")  # of `accounts`; only in the environment, too
EXAMPLE = "lp_pipeline.env.example"
PREFIXES = ("LP_", "HATCH_", "PUSH_", "INBOX_", "ALERT_", "HEARTBEAT_", "KEEP_")
# what Kubernetes puts into the environment for a service whose name begins like ours
SERVICE = re.compile(r"_(SERVICE_HOST|SERVICE_PORT\w*|PORT(_\d+_(TCP|UDP)\w*)?)$")


def setting_names() -> list[str]:
    """Every name that a settings file may hold."""
    return [str(field.alias) for field in Settings.model_fields.values()]


def secret_names() -> set[str]:
    """Those of them that are passwords or keys."""
    return {str(field.alias) for field in Settings.model_fields.values() if field.annotation is SecretStr}


def settings_file() -> Path:
    """The file that settings are read from, whether or not it exists."""
    given = os.environ.get(FILE_SETTING, "").strip()
    if not given:
        return base_folder() / FILE
    try:
        return Path.cwd() / Path(given).expanduser()
    except RuntimeError:
        raise SettingsError(f"{FILE_SETTING} starts with ~, but that user has no home folder.") from None


def others_can_read(path: Path) -> bool:
    """Whether other users of this machine can read or change a file of settings (SPEC R4). What a service manager hands
    over in a folder of its own is its business: systemd may use an access list, which looks like a group."""
    handed_over = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(path.stat().st_mode & 0o077) and not (handed_over and path.is_relative_to(handed_over))


def read_sources(environ: Mapping[str, str]) -> dict[str, str]:
    """Every value that is set, the environment's before the file's; an empty value counts as not set.

    Raises `SettingsError` for a file that can't be read, a line that can't be parsed, an unknown name, or a `.env` here
    that holds settings of ours. No message shows a value or the text of a line, for it may be a secret (SPEC R4).
    """
    refuse_dotenv()
    path = settings_file()
    required = bool(environ.get(FILE_SETTING, "").strip())
    in_file = read_file(path, missing=f"{FILE_SETTING} names {path}, which does not exist." if required else None)
    _refuse_other_file(path)
    for name, value in environ.items():
        if value.strip() and name != FILE_SETTING and _is_mistaken(name):
            raise SettingsError(f"The environment has {_unknown(name)}")
    return _filled(in_file) | _filled(environ)


def read_what_can_be_read(environ: Mapping[str, str]) -> dict[str, str]:
    """Every value that can be made out, the environment's before the file's, whatever is wrong with the rest."""
    try:
        path = settings_file()
    except SettingsError:
        return _filled(environ)
    return what_can_be_read(path) | _filled(environ)


def what_can_be_read(path: Path) -> dict[str, str]:
    """Every value in a settings file that can be made out."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return {}
    bindings = [binding for binding in parse_stream(StringIO(text)) if not binding.error]
    return _filled({binding.key: binding.value for binding in bindings if binding.key and binding.value})


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value.strip()}


def refuse_dotenv() -> None:
    """Raise `SettingsError` if the current folder has a `.env` with a setting of ours; other projects' are fine."""
    path = Path.cwd() / ".env"
    if not path.is_file():
        return
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:  # Dagster can't read it either
        return
    names = [binding.key for binding in parse_stream(StringIO(text)) if binding.key]
    ours = next((name for name in names if name in setting_names() or name == FILE_SETTING or _is_mistaken(name)), None)
    if ours:
        raise SettingsError(
            f"{path} holds {ours}. Settings belong in {FILE}, because Dagster copies .env into its environment and "
            f"keeps using that copy. Run:  mv .env {FILE}  and start the command again. A `dagster dev` that "
            "is already running must be restarted, too. DAGSTER_HOME may stay in .env."
        )


def read_file(path: Path, *, missing: str | None = None) -> dict[str, str]:
    """The values that a settings file sets; none if there is no file, unless that is the error `missing`. Raises as
    `read_sources`."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if missing:
            raise SettingsError(missing) from None
        return {}
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not a UTF-8 text file. Save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}.") from None
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for binding in parse_stream(StringIO(text)):
        line, name = binding.original.line, binding.key
        if binding.error or "\0" in binding.original.string or (name and binding.value is None):
            raise SettingsError(f"Line {line} of {path} is not NAME=value. Correct it, or put # in front of it.")
        if name is None:
            continue
        if name == FILE_SETTING or name in ELSEWHERE:
            raise SettingsError(f"Line {line} of {path} sets {name}, which only the environment can set. Remove it.")
        if name.startswith(PREFIXES) and name not in setting_names():
            raise SettingsError(f"Line {line} of {path} has {_unknown(name)}")
        value = binding.value or ""
        if values.get(name) and value and values[name] != value:
            raise SettingsError(f"{path} sets {name} twice, in lines {lines[name]} and {line}. Remove one of them.")
        if value:
            values[name], lines[name] = value, line
    return values


def _refuse_other_file(path: Path) -> None:
    """A settings file in the current folder that is not the one in use was meant to be."""
    here = Path.cwd() / FILE
    if here.exists() and not os.environ.get(FILE_SETTING) and not (path.exists() and here.samefile(path)):
        raise SettingsError(
            f"{here} is not read, for settings come from {path}. To use it:  export {FILE_SETTING}={here}"
        )


def _is_mistaken(name: str) -> bool:
    """Whether a variable that is not a setting was meant to be one.

    Other programs have names that begin like ours (HATCH_ENV), so apart from `LP_` only a near miss counts. In our own
    file every unknown name is an error.
    """
    if not name.startswith(PREFIXES) or name in (*setting_names(), *ELSEWHERE) or SERVICE.search(name):
        return False
    return name.startswith("LP_") or bool(_alike(name))


def _unknown(name: str) -> str:
    alike = _alike(name)
    meant = f"did you mean {alike[0]}?" if alike else f"{EXAMPLE} lists all settings."
    return f"{name}, which is not a setting: {meant}"


def _alike(name: str) -> list[str]:
    return difflib.get_close_matches(name, setting_names(), n=1, cutoff=0.8)
