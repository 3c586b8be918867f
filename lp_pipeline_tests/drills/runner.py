"""One push in its own process, without Dagster, with short waits, so that a drill can kill many."""

from uuid import uuid4

from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import push_open

PACE = 0.02


def main() -> None:
    """Push what is open; say so on standard output as it begins."""
    with Connections(str(uuid4()), pace=PACE) as connections:
        print("at work", flush=True)  # noqa: T201
        push_open(connections, {}, due_only=False)


if __name__ == "__main__":
    main()
