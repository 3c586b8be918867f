"""Many accounts in one deployment (SPEC A1, A3): `accounts.toml` lists them, `accounts/<name>.env` beside it holds the
settings of each, and each one's data folder has a mark that says whose it is. Without that file there is one account.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings.files import write_file
from lp_pipeline.settings.model import base_folder
from lp_pipeline.settings.sources import FILE, FILE_SETTING, others_can_read, read_file, what_can_be_read

ACCOUNTS_FILE = "accounts.toml"
ACCOUNTS_SETTING, ACCOUNT_SETTING = "LP_PIPELINE_ACCOUNTS", "LP_ACCOUNT"  # only in the environment
OF_DEPLOYMENT = ("LP_PIPELINE_SANDBOX", "LP_PIPELINE_NOW", "LP_PIPELINE_GROUP")  # the environment's holds for all
ROOT = "LP_PIPELINE_DATA"  # in the environment: the folder of the accounts' folders
NAME = re.compile(r"[a-z0-9-]{1,40}")
MARK = "account.json"
SHARD = "main"


@dataclass(frozen=True)
class Account:
    """One line of the accounts file: where its folder is, and whether it is synced."""

    name: str
    shard: str = SHARD
    enabled: bool = True


def accounts_file() -> Path | None:
    """The file that lists the accounts; None if there is just the one account of `lp_pipeline.env`."""
    given = os.environ.get(ACCOUNTS_SETTING, "").strip()
    if given:
        return Path.cwd() / Path(given).expanduser()
    path = base_folder() / ACCOUNTS_FILE
    return path if path.exists() else None


def read_accounts(path: Path) -> dict[str, Account]:
    """The accounts that the file lists, by name, in its order. Raises `SettingsError` for a file that can't be read,
    an unknown key, or a name that can't be one."""
    try:
        about = path.stat()
    except OSError:
        return _read(path)
    return dict(_read_once(path, (about.st_ino, about.st_mtime_ns, about.st_size)))


@lru_cache(maxsize=1)
def _read_once(path: Path, _as_it_is: tuple[int, ...]) -> dict[str, Account]:
    """Who asks for each of thousands of accounts need not read all of them each time."""
    return _read(path)


def _read(path: Path) -> dict[str, Account]:
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(f"{ACCOUNTS_SETTING} names {path}, which does not exist.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not a UTF-8 text file. Save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from None
    listed = content.pop("accounts", {})
    if content or not isinstance(listed, dict):
        raise SettingsError(f"{path} may hold [accounts.<name>] tables only, not {', '.join(content) or 'a list'}.")
    return {name: _account(path, name, given) for name, given in listed.items()}


def chosen_account(path: Path) -> str:
    """The account that LP_ACCOUNT (or `--account`) names. Raises `SettingsError` if it names none."""
    if name := os.environ.get(ACCOUNT_SETTING, "").strip():
        return name
    raise SettingsError(
        f"{path} lists several accounts. Say which one: lp-pipeline --account NAME, or set {ACCOUNT_SETTING}. "
        "To see them: lp-pipeline accounts list"
    )


def account_of(path: Path, name: str) -> Account:
    """The account of that name. Raises `SettingsError` if the file lists none."""
    accounts = read_accounts(path)
    if name not in accounts:
        raise SettingsError(f"{path} lists no account {name!r}. To see them: lp-pipeline accounts list")
    return accounts[name]


def env_file(path: Path, name: str) -> Path:
    """The settings file of an account."""
    return path.parent / "accounts" / f"{name}.env"


def account_values(path: Path, name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What is set for an account: its own file's values, and from the environment the deployment's alone.

    Raises `SettingsError` if its file can't be read, or others on this machine could read it.
    """
    own = env_file(path, name)
    if (base_folder() / FILE).exists() and not environ.get(FILE_SETTING):
        raise SettingsError(
            f"{base_folder() / FILE} is not read, for {path} lists the accounts. Move it to the account's own file:  "
            f"mv {base_folder() / FILE} {own}"
        )
    values = read_file(own, missing=f"{own} does not exist. To make it: lp-pipeline accounts init {name}")
    if others_can_read(own):
        raise SettingsError(f"{own} holds secrets, and others can read it. Run:  chmod 600 {own}")
    return _deployed(values, name, environ)


def readable_values(path: Path, name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What can be made out of an account's settings, whatever is wrong with the rest."""
    return _deployed(what_can_be_read(env_file(path, name)), name, environ)


def folder_of(values: Mapping[str, str]) -> Path:
    """Where the data of an account with these values belongs."""
    return base_folder() / Path(values[ROOT]).expanduser()


def root_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the accounts' folders, for those whose settings name none."""
    return base_folder() / Path(environ.get(ROOT, "").strip() or "data").expanduser()


def mark(folder: Path, name: str) -> None:
    """Make the folder of an account, or take one over that has data already (SPEC A3). Raises `SettingsError` if it is
    another account's."""
    other = _marked(folder)
    if other not in (None, name):
        raise SettingsError(f"{folder} is the folder of account {other!r}. Give each account one of its own: {ROOT}.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_file(folder / MARK, json.dumps({"account": name}) + "\n")


def check_mark(folder: Path, account: Account) -> None:
    """Raise `SettingsError` unless the folder is this account's: an empty one that is here by mistake would begin a new
    history, and everything would be delivered twice."""
    found = _marked(folder)
    if found is None:
        error = SettingsError(
            f"The folder of account {account.name!r} is not here: {folder}. It belongs on shard {account.shard!r}; run "
            "this where that shard's volume is. Only for a new account, make the folder: "
            f"lp-pipeline accounts init {account.name}"
        )
        error.is_elsewhere = True
        raise error
    if found != account.name:
        raise SettingsError(f"{folder} is the folder of account {found!r}, not of {account.name!r}. Correct {ROOT}.")


def _deployed(values: dict[str, str], name: str, environ: Mapping[str, str]) -> dict[str, str]:
    deployed = {each: environ[each] for each in OF_DEPLOYMENT if environ.get(each, "").strip()}
    return {ROOT: str(root_folder(environ) / name)} | values | deployed


def _marked(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / MARK).read_text(encoding="utf-8"))["account"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise SettingsError(f"{folder / MARK} does not say whose folder this is. Restore it from a backup.") from None


def _account(path: Path, name: str, given: object) -> Account:
    if not NAME.fullmatch(name):
        raise SettingsError(f"{path}: {name!r} is no account name. Use 1 to 40 of a-z, 0-9 and -.")
    if not isinstance(given, dict):
        raise SettingsError(f"{path}: write the account as a table, [accounts.{name}].")
    shard, enabled = given.pop("shard", SHARD), given.pop("enabled", True)
    if given:
        raise SettingsError(f"{path}: account {name!r} has {', '.join(given)}. Possible are shard and enabled.")
    if not (isinstance(shard, str) and NAME.fullmatch(shard)) or not isinstance(enabled, bool):
        raise SettingsError(f"{path}: account {name!r}: shard is a name (a-z, 0-9, -), enabled is true or false.")
    return Account(name, shard, enabled)
