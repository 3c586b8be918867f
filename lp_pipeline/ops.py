"""The ops of the push (SPEC C3 to C8): they wire and report; the protocol is in `communications/`."""

from collections import Counter

import dagster as dg

from lp_pipeline.communications.rounds import as_text, dry_run_file
from lp_pipeline.pipeline import Pipeline
from lp_pipeline.resources import told_plainly


class PushConfig(dg.Config):
    """What a person may choose in the launchpad for one run; a switch left empty is as the settings say."""

    push_communications: bool | None = None
    push_to_notes: bool | None = None
    push_to_call_logs: bool | None = None
    push_to_production_notes: bool | None = None
    dry_run: bool = False
    only_due: bool = False

    def overrides(self) -> dict[str, bool | None]:
        """The four switches."""
        return {name: getattr(self, name) for name in SWITCHES}


class PublishConfig(dg.Config):
    """Whether to wait until the last publication has stood for a minute; without, the next sync publishes."""

    wait: bool = True


SWITCHES = ("push_communications", "push_to_notes", "push_to_call_logs", "push_to_production_notes")


@dg.op(
    description="Push what has landed from Hatch into LeadPerfection: looks up what is in doubt, sends what is open."
)
def push(context: dg.OpExecutionContext, config: PushConfig, pipeline: dg.ResourceParam[Pipeline]) -> None:
    """Push, or with dry_run write down what would be pushed."""
    with told_plainly(pipeline):
        if config.dry_run:
            rehearsed = pipeline.dry_run(config.overrides())
            path = dry_run_file(pipeline.settings.data)
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            path.write_text(as_text(rehearsed), encoding="utf-8")
            counts = Counter(each.target for each in rehearsed if each.where)
            context.add_output_metadata({**counts, "word for word in": dg.MetadataValue.path(str(path))})
            return
        report = pipeline.push(config.overrides(), due_only=config.only_due)
    counts = Counter({f"{target}: {outcome}": number for (target, outcome), number in report.counts.items()})
    context.add_output_metadata(
        {**dict(sorted(counts.items())), **{f"{t} stopped": why for t, why in report.stopped.items()}}
    )
    for why in report.stopped.values():
        context.log.warning(why)


@dg.op(ins={"pushed": dg.In(dg.Nothing)}, description="Replace the published copy, unless another push is about to.")
def publish_pushes(context: dg.OpExecutionContext, config: PublishConfig, pipeline: dg.ResourceParam[Pipeline]) -> None:
    """Publish what the push changed; then fail the run, if something stopped the push (as SPEC W8 does for feeds)."""
    if config.wait and pipeline.push_report:  # after a dry run there is nothing
        with told_plainly(pipeline):
            publication = pipeline.publish_pushes()
        context.add_output_metadata({"published": publication.published, "reason": publication.reason})
    if pipeline.push_report and pipeline.push_report.errors:
        raise dg.Failure(description=" ".join(dict.fromkeys(pipeline.push_report.errors)), allow_retries=False)
