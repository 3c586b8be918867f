"""`doctor` (SPEC E2): which checks there are, in the order in which they depend on each other. What each looks at is in
`doctor_files`, `doctor_leadperfection` and `doctor_hatch`; what Dagster knows is added by the command line.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from lp_pipeline.errors import PipelineError
from lp_pipeline.insight import doctor_files, doctor_hatch, doctor_leadperfection
from lp_pipeline.insight.examination import Check, Examination, Finding, Step
from lp_pipeline.runs.connections import Connections
from lp_pipeline.settings import Settings, load_settings

INBOX_PORT = 8766
STEPS = (
    Step("Settings", doctor_files.settings_file_is_safe),
    Step("Data folder", doctor_files.data_folder_has_room, needs=("Settings",)),
    Step("Files", doctor_files.files_open, needs=("Data folder",)),
    Step("Sign-in", doctor_leadperfection.sign_in, needs=("Data folder",)),
    Step("Permissions", doctor_leadperfection.permissions, needs=("Sign-in",)),
    Step("Clock", doctor_leadperfection.clock, needs=("Sign-in",)),
    Step("Lead feed", doctor_leadperfection.lead_feed, needs=("Sign-in",)),
    Step("Prospect feed", doctor_leadperfection.prospect_feed, needs=("Sign-in",)),
    Step("Time zone", doctor_leadperfection.time_zone, needs=("Lead feed",)),
    Step("Pushes", doctor_leadperfection.pushes, needs=("Sign-in",)),
    Step("Hatch", doctor_hatch.deliveries, needs=("Data folder",)),
    Step("Communications", doctor_hatch.communications, needs=("Data folder",)),
    Step("Alerts", doctor_files.alerts, needs=("Settings",)),
)
FIRST_SENTENCE = re.compile(r"(.*?[.:])\s+(?=[A-Z`])(.*)", re.DOTALL)


def examine(
    load: Callable[[], Settings] = load_settings,
    *,
    more: Sequence[Step] = (),
    begin: Callable[[str], object] = lambda _name: None,
    inbox_port: int = INBOX_PORT,
    pace: float = 1.0,
) -> Iterator[Check]:
    """The checks, each as soon as it is made; nothing is written to LeadPerfection or Hatch.

    `begin` hears the name of each one before it is made; `more` are made at the end; `pace` multiplies every wait.
    """
    blocked: set[str] = set()
    with Connections("doctor", load, pace=pace) as connections:
        examination = Examination(connections, inbox_port)
        for step in (*STEPS, *more):
            if blocked.intersection(step.needs):
                blocked.add(step.name)
                yield Check(step.name, "not checked", "not checked")
                continue
            begin(step.name)
            finding = _found(step, examination)
            if finding.state == "fail":
                blocked.add(step.name)
            yield Check(step.name, finding.state, finding.found, finding.advice)


def _found(step: Step, examination: Examination) -> Finding:
    try:
        return step.look(examination)
    except PipelineError as error:
        return failed(error)


def failed(error: PipelineError) -> Finding:
    """An error's message as a finding: its first sentence says what is wrong, the rest what to do."""
    parts = FIRST_SENTENCE.fullmatch(str(error))
    return Finding("fail", *parts.groups()) if parts else Finding("fail", str(error))
