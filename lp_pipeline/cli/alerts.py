"""`lp-pipeline alert-test`: whether alerts and the heartbeat get where they should. When they are sent: `insight/`."""

from collections.abc import Callable

import click
from pydantic import SecretStr

from lp_pipeline.cli.console import account_settings


@click.command("alert-test")
def alert_test() -> None:
    """Send a test message to ALERT_WEBHOOK_URL, and request HEARTBEAT_URL if it is set."""
    from lp_pipeline.clients import webhook
    from lp_pipeline.insight.alerts import HEARTBEAT, WEBHOOK, send_test

    settings = account_settings()
    alerts, heartbeat = settings.alert_webhook_url, settings.heartbeat_url
    if not alerts.get_secret_value() and not heartbeat.get_secret_value():
        raise click.ClickException(f"Neither {WEBHOOK} nor {HEARTBEAT} is set. Set them in lp_pipeline.env.")
    problems = []
    tests: list[tuple[SecretStr, str, Callable[[], str | None]]] = [
        (alerts, WEBHOOK, lambda: send_test(settings)),
        (heartbeat, HEARTBEAT, lambda: webhook.get(heartbeat, HEARTBEAT)),
    ]
    for url, name, send in tests:
        if not url.get_secret_value():
            click.echo(f"{name} is not set.")
        elif problem := send():
            problems.append(problem)
        else:
            click.echo(f"{name} works.")
    if problems:
        raise click.ClickException("\n".join(problems))


COMMANDS = (alert_test,)
