"""What Dagster loads; `orchestration.build` makes it."""

import dagster as dg

from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.settings import refuse_dotenv


@dg.definitions
def definitions() -> dg.Definitions:
    """The definitions of this deployment; raises `SettingsError` if Dagster was started with settings in `.env`."""
    refuse_dotenv()
    return build_definitions()
