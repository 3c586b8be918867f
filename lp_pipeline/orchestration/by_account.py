"""The definitions of many accounts: those of one, with every asset, check and job partitioned by account (SPEC A2)."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

Partitions = dg.PartitionsDefinition[str]


def by_account(definitions: dg.Definitions, names: Sequence[str]) -> dg.Definitions:
    """The same assets, checks and jobs with a partition for each of the accounts `names`; no schedule and no sensor."""
    partitions = dg.StaticPartitionsDefinition(names)
    return dg.Definitions(
        assets=[_asset(each, partitions) for each in definitions.assets or ()],
        asset_checks=[_check(each, partitions) for each in definitions.asset_checks or ()],
        jobs=[_job(each, partitions) for each in definitions.jobs or ()],
        resources=definitions.resources,
        executor=definitions.executor,
    )


def _asset(asset: Any, partitions: Partitions) -> Any:
    if not isinstance(asset, dg.AssetsDefinition):
        return asset  # another system, which is the same one for all
    # a freshness policy knows no partitions: one fresh account would hide all others; alerts tell each one's
    return asset.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=partitions, freshness_policy=None))


def _check(check: Any, partitions: Partitions) -> dg.AssetChecksDefinition:
    """Otherwise the next account's success would hide the last one's failure."""
    specs = {name: spec._replace(partitions_def=partitions) for name, spec in check.check_specs_by_output_name.items()}
    made: dg.AssetChecksDefinition = dg.AssetChecksDefinition.create(
        keys_by_input_name=check.keys_by_input_name,
        node_def=check.node_def,
        check_specs_by_output_name=specs,
        can_subset=check.can_subset,
        resource_defs=check.resource_defs,
    )
    return made


def _job(job: Any, partitions: Partitions) -> Any:
    if not isinstance(job, dg.JobDefinition):
        return job  # a selection of assets has their partitions
    return job.graph.to_job(
        name=job.name,
        description=job.description,
        config=job.run_config,
        tags=job.tags,
        partitions_def=partitions,
    )
