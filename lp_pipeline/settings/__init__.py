"""Settings: read from the environment and `lp_pipeline.env` in one place, checked, and handed down as one object.

Nothing else in the program reads the environment for a setting.
"""

from lp_pipeline.settings.accounts import Account, accounts_file
from lp_pipeline.settings.forms import CHANNELS, FIRST, LAST, is_loopback
from lp_pipeline.settings.load import (
    HATCH_SETTINGS,
    SANDBOX_ACCOUNT,
    SANDBOX_HATCH,
    account_folder,
    accounts_folder,
    listed_accounts,
    load_account,
    load_accounts,
    load_elsewhere,
    load_settings,
    own_settings_file,
    settings_changed,
)
from lp_pipeline.settings.model import REPOSITORY, Settings, base_folder
from lp_pipeline.settings.sources import (
    others_can_read,
    read_file,
    refuse_dotenv,
    secret_names,
    setting_names,
    settings_file,
)

__all__ = [
    "CHANNELS",
    "FIRST",
    "HATCH_SETTINGS",
    "LAST",
    "REPOSITORY",
    "SANDBOX_ACCOUNT",
    "SANDBOX_HATCH",
    "Account",
    "Settings",
    "account_folder",
    "accounts_file",
    "accounts_folder",
    "base_folder",
    "is_loopback",
    "listed_accounts",
    "load_account",
    "load_accounts",
    "load_elsewhere",
    "load_settings",
    "others_can_read",
    "own_settings_file",
    "read_file",
    "refuse_dotenv",
    "secret_names",
    "setting_names",
    "settings_changed",
    "settings_file",
]
