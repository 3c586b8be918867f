"""Settings: read from the environment and `lp_pipeline.env` in one place, checked, and handed down as one object.

Nothing else in the program reads the environment for a setting.
"""

from lp_pipeline.settings.forms import CHANNELS, FIRST, LAST, is_loopback
from lp_pipeline.settings.load import HATCH_SETTINGS, SANDBOX_ACCOUNT, SANDBOX_HATCH, load_settings
from lp_pipeline.settings.model import REPOSITORY, Settings, base_folder
from lp_pipeline.settings.sources import exposed_settings_file, refuse_dotenv, setting_names, settings_file

__all__ = [
    "CHANNELS",
    "FIRST",
    "HATCH_SETTINGS",
    "LAST",
    "REPOSITORY",
    "SANDBOX_ACCOUNT",
    "SANDBOX_HATCH",
    "Settings",
    "base_folder",
    "exposed_settings_file",
    "is_loopback",
    "load_settings",
    "refuse_dotenv",
    "setting_names",
    "settings_file",
]
