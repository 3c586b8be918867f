"""What Dagster loads; `orchestration.build` makes it. Nothing of ours is imported before Dagster asks, so that code
that can't be imported is one message.
"""

import dagster as dg


@dg.definitions
def definitions() -> dg.Definitions:
    """The definitions of this deployment; raises `SettingsError` if Dagster was started with settings in `.env`, and
    `BrokenProgram` if the program's own code can't be imported."""
    from lp_pipeline.errors import BrokenProgram

    try:
        from lp_pipeline.orchestration.build import build_account_definitions, build_definitions
        from lp_pipeline.settings import accounts_file, refuse_dotenv
    except Exception as error:
        raise BrokenProgram(error) from error
    refuse_dotenv()
    return build_account_definitions() if accounts_file() else build_definitions()
