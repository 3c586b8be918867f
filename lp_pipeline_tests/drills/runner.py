"""One push in its own process, without Dagster, with short waits, so that a drill can kill many."""

from uuid import uuid4

from lp_pipeline.runs.run import Pipeline

PACE = 0.02


def main() -> None:
    """Push what is open; say so on standard output as it begins."""
    pipeline = Pipeline(str(uuid4()), pace=PACE)
    try:
        print("at work", flush=True)  # noqa: T201
        pipeline.push({}, due_only=False)
    finally:
        pipeline.close()


if __name__ == "__main__":
    main()
