"""`load_settings`: turns the values from `sources` into one `Settings`, or one message that names what is wrong."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import accounts
from lp_pipeline.settings.model import Settings
from lp_pipeline.settings.sources import EXAMPLE, FILE, read_sources, read_what_can_be_read, settings_file

SANDBOX_ACCOUNT = {
    "LP_CLIENT_ID": "sandbox",
    "LP_USERNAME": "sandbox",
    "LP_PASSWORD": "sandbox",
    "LP_APP_KEY": "sandbox",
    "LP_TIMEZONE": "America/New_York",
    "LP_RATE_PER_MINUTE": "60000",
    "LP_CALL_TYPE": "O",
    "LP_RESULT_CODE": "LM",
}
SANDBOX_HATCH = {
    "HATCH_API_KEY": "sandbox",
    "HATCH_SOURCE": "custom:leadperfection",
    "HATCH_EXPORT_KEY": "sandbox",
    "HATCH_RATE_PER_MINUTE": "60000",
    "HATCH_EXPORT_MINUTES": "0",
}
SECRETS = ("LP_PASSWORD", "LP_APP_KEY")  # blanks at their ends may be meant
CREDENTIALS = ("LP_CLIENT_ID", "LP_USERNAME", "LP_PASSWORD", "LP_APP_KEY", "LP_TIMEZONE")
HATCH_SETTINGS = ("HATCH_API_URL", "HATCH_API_KEY", "HATCH_EXPORT_URL", "HATCH_EXPORT_KEY")
WHERE = ("LP_API_URL", "LP_PIPELINE_DATA")
ACCOUNT = CREDENTIALS[:4]  # what only a real LeadPerfection asks for; the sandbox may have a zone


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment and `lp_pipeline.env` (the environment wins), read anew at each call; with an
    accounts file, those of the account that LP_ACCOUNT names.

    Pass `environ` to use just that mapping. Raises `SettingsError` naming what is wrong; its `usable` are the settings
    by which that can be recorded and reported all the same.
    """
    if environ is None and (path := accounts.accounts_file()):
        return load_account(accounts.chosen_account(path))
    if environ is None and (name := os.environ.get(accounts.ACCOUNT_SETTING, "").strip()):
        raise SettingsError(
            f"Account {name!r}: there is no {accounts.ACCOUNTS_FILE}, so there is one account, and it has no name. "
            f"Leave --account and {accounts.ACCOUNT_SETTING} out, or add accounts: lp-pipeline accounts init NAME"
        )
    try:
        return _settings(read_sources(os.environ) if environ is None else environ)
    except SettingsError as error:
        error.usable = _usable(read_what_can_be_read(os.environ) if environ is None else environ)
        raise


def load_account(name: str) -> Settings:
    """The settings of an account of the accounts file, read anew (SPEC A1).

    Raises `SettingsError`, also if its folder is not on this machine (SPEC A3).
    """
    path = _accounts_file(name)
    return _load(path, accounts.account_of(path, name))


def load_accounts() -> dict[str, Settings | SettingsError]:
    """The settings of every account, or what is wrong with them: a broken one harms no other (SPEC A1). Raises
    `SettingsError` if the accounts file itself is broken; without one there are none."""
    found: dict[str, Settings | SettingsError] = {}
    path = accounts.accounts_file()
    if not path:
        return found
    for name, account in accounts.read_accounts(path).items():
        try:
            found[name] = _load(path, account)
        except SettingsError as error:
            found[name] = error
    return found


def listed_accounts() -> dict[str, accounts.Account]:
    """The accounts by name, disabled ones too, read anew. Raises `SettingsError` for a broken accounts file."""
    path = accounts.accounts_file()
    return accounts.read_accounts(path) if path else {}


def account_folder(name: str) -> Path:
    """Where an account's data belongs, whatever is wrong with the rest of its settings; whether it is there, or here,
    is another matter. Raises `SettingsError` without an accounts file."""
    return accounts.folder_of(accounts.readable_values(_accounts_file(name), name, os.environ))


def accounts_folder() -> Path:
    """The folder of the accounts' folders on this host, whether or not it exists."""
    return accounts.root_folder(os.environ)


def load_elsewhere(name: str) -> Settings:
    """The settings of an account for what needs none of its data, which may be on another machine. Raises
    `SettingsError` as `load_account` for the rest."""
    return _settings(accounts.account_values(_accounts_file(name), name, os.environ)).of_account(name)


def settings_changed(name: str) -> int:
    """When the settings file of an account last changed, in nanoseconds of the epoch; 0 if there is none."""
    try:
        return accounts.env_file(_accounts_file(name), name).stat().st_mtime_ns
    except OSError:
        return 0


def own_settings_file() -> Path:
    """The file that the settings are in, whether or not it exists: `lp_pipeline.env`, or that of the account which
    LP_ACCOUNT names. Raises `SettingsError` if there are several accounts and none is named."""
    path = accounts.accounts_file()
    return accounts.env_file(path, accounts.chosen_account(path)) if path else settings_file()


def _accounts_file(name: str) -> Path:
    if path := accounts.accounts_file():
        return path
    raise SettingsError(f"There is no {accounts.ACCOUNTS_FILE}. To make one: lp-pipeline accounts init {name}")


def _load(path: Path, account: accounts.Account) -> Settings:
    values = accounts.readable_values(path, account.name, os.environ)
    accounts.check_mark(accounts.folder_of(values), account)
    try:
        settings = _settings(accounts.account_values(path, account.name, os.environ))
    except SettingsError as error:
        named = SettingsError(f"Account {account.name!r}: {error}")
        named.usable = usable.of_account(account.name) if (usable := _usable(values)) else None
        raise named from None
    return settings.of_account(account.name)


def _settings(environ: Mapping[str, str]) -> Settings:
    given = {name: value if name in SECRETS else value.strip() for name, value in environ.items() if value.strip()}
    settings = _validated(given)
    if settings.lp_api_url:
        missing = [name for name in CREDENTIALS if name not in given]
        if missing:
            raise SettingsError(
                f"LP_API_URL is set, but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not. "
                f"Set it in the environment or in {FILE} (see {EXAMPLE})."
            )
        if "HATCH_API_KEY" in given and "HATCH_SOURCE" not in given:
            raise SettingsError(
                "HATCH_API_KEY is set, but HATCH_SOURCE is not. Set it to the API name of the custom source in your "
                "Hatch account (custom:<slug>), or remove the key to send nothing to Hatch."
            )
        return settings
    if not settings.sandbox:
        raise SettingsError(
            "LP_API_URL is not set, and LP_PIPELINE_SANDBOX=false turns the sandbox off. Set LP_API_URL and the "
            "credentials."
        )
    stray = [name for name in ACCOUNT if name in given]
    if stray:
        raise SettingsError(
            f"{', '.join(stray)}: set, but LP_API_URL is not. Set LP_API_URL to your LeadPerfection server, such as "
            "https://api.leadperfection.com. To use the sandbox instead, remove these settings."
        )
    stray = [name for name in HATCH_SETTINGS if name in given]
    if stray:
        raise SettingsError(
            f"{', '.join(stray)}: set, but LP_API_URL is not. The sandbox has its own Hatch; its made-up people must "
            "not reach a real one. Set LP_API_URL too, or remove these settings."
        )
    zone = {name: given[name] for name in ("LP_TIMEZONE",) if name in given}
    return _validated({**given, **SANDBOX_ACCOUNT, **SANDBOX_HATCH, **zone})


def _usable(environ: Mapping[str, str]) -> Settings | None:
    """The settings without those that are wrong; None if it can't be told whose data they are about, or where it is."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    if "LP_API_URL" not in given:
        if any(name in given for name in ACCOUNT):
            return None
        given = {**given, **SANDBOX_ACCOUNT, **SANDBOX_HATCH}
    while True:
        try:
            settings = Settings.model_validate({"LP_TIMEZONE": SANDBOX_ACCOUNT["LP_TIMEZONE"], **given})
        except ValidationError as error:
            wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]} & given.keys()
        else:
            return settings if settings.lp_api_url or settings.sandbox else None
        if not wrong or not wrong.isdisjoint(WHERE):
            return None
        given = {name: value for name, value in given.items() if name not in wrong}


def _validated(given: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = _explain(error)
    # Outside the `except`, or the new error's context would hold Pydantic's, which holds the validator's frame and with
    # it, beyond the garbage collector's reach, all modules; DuckDB reports that at exit ("nanobind: leaked ...").
    raise SettingsError(problems)


def _explain(error: ValidationError) -> str:
    problems = [
        f"{problem['loc'][0] if problem['loc'] else 'settings'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return f"Some settings are invalid. {'; '.join(problems)}. See {EXAMPLE}."
