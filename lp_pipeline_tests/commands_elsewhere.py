"""The commands of README.md and docs/ that test_pages.py does not run itself, and the test that runs each.
A command that is neither here nor run there fails.
"""

import re

from lp_pipeline_tests.pages import Command

GOING_LIVE = "test_going_live.py::test_its_commands_work_in_their_order"
ACCOUNTS = "test_many_accounts_page.py::test_one_account_becomes_three"
SERVING = "test_pages.py::test_what_serves_answers_as_the_page_says"
SERVICES = "deploy/test_services.py::test_a_deployment_works_survives_and_ends"
UNITS = "deploy/test_units.py::test_systemd_accepts_every_unit"
INSTALLING = "deploy/test_page.py::test_everything_that_the_units_need_is_installed_by_it"
SECRETS = "deploy/test_page.py::test_every_secret_of_the_compose_file_is_made_by_it"
PROCESSES = "endtoend/test_processes.py::test_parts_of_the_graph_can_be_materialized_from_the_shell"
POOL = "fleet/test_pgbouncer.py::test_dagster_makes_its_tables_and_keeps_runs_in_transaction_mode"
VOLUMES = "deploy/test_fleet.py::test_only_a_shards_own_services_have_its_volume"
PROXY = "deploy/test_proxy.py::test_nobody_reaches_the_ui_without_signing_in"
POSTGRES = "cli/test_postgres.py::test_a_home_is_moved_to_postgres_and_an_outage_is_one_message"
SWEEP = "cli/test_history.py::test_a_sweep_shows_what_it_found"
EXPLAIN = "cli/test_explain.py::test_leadperfection_is_asked_about_what_was_never_read"
TAKEOVER = "communications/test_ownership.py::test_taking_over_looks_for_what_the_other_folder_sent"
KILLED = "runs/test_killed_past.py::test_a_sweep_that_is_killed_ends_as_one_that_is_not"
# What is not run as it is written, because it serves, installs, asks a person, or is about other machines.
ELSEWHERE = {
    r"lp-pipeline (sync|status|doctor|push( --dry-run)?)": GOING_LIVE,
    r"lp-pipeline (deliver --since 2026-02-01.*|backfill .* 2026-02-28)": GOING_LIVE,
    r"lp-pipeline sweep( --full)?": SWEEP,
    r"lp-pipeline explain .* --(ask|json)": EXPLAIN,
    r"lp-pipeline sql": "cli/test_sql.py::test_the_prompt_takes_lines_until_a_semicolon",
    r"lp-pipeline status --json": "cli/test_status.py::test_programs_read_it_as_json",
    r"lp-pipeline pushes takeover": TAKEOVER,
    r"lp-pipeline connect( --no-input .*)?|dagster asset materialize .* raw_communications": GOING_LIVE,
    r"lp-pipeline (accounts|fleet|--account|\w+ --all)\b.*": ACCOUNTS,
    r"dagster asset materialize .* --partition .*|(mv|rm) .*": ACCOUNTS,
    r"lp-pipeline (sandbox|inbox)\b.*|(curl|export|openssl rand) .*": SERVING,
    r"lp-pipeline (dev|health)\b.*|dg dev|dagster dev": SERVICES,
    r"dagster job execute( -m lp_pipeline.definitions -j sync)?": PROCESSES,
    r"dagster asset materialize -m lp_pipeline.definitions --select raw_leads": PROCESSES,
    r"dg .*|dagster asset materialize .* \*": "cli/test_dg.py::test_dg_checks_lists_and_launches",
    r"python -m lp_pipeline_tests.drills .*": KILLED,
    r"date .*": "test_pages.py::test_each_command_works_as_it_is_written",
    r"duckdb .*": "test_readme.py::test_its_sql_finds_something",
    r"python -m hatchling build .*": "test_packaging.py::test_the_wheel_holds_what_the_program_reads_and_nothing_else",
    r"pip install (lp-pipeline\[|duckdb-cli).*": "test_dependencies.py::test_each_dependency_is_used",
    r"(systemctl|systemd-sysusers|systemd-run|journalctl|usermod|tee -a|git pull)\b.*": UNITS,
    r"(python3.11 -m venv|pip install --no-deps|cp -r|install -D|install -m [67]) ?.*": INSTALLING,
    r"(cd|install -d -m 700|install -m 400|openssl passwd|cat|printf|cp /path|ch(mod|own)|docker) ?.*": SECRETS,
    r"(createuser|createdb|echo) .*": POSTGRES,
    r"sed .*pgbouncer.ini|python3 .*/scram_secret.py|psql -c create role .*": POOL,
    r"(install -d -m 711|mkdir|mount|ln|tar|touch) .*": VOLUMES,
    r"dagster code-server start .*": SERVICES,
    r"(apt install|install -d -m 750|tee|envsubst|nginx|ssh) .*": PROXY,
}


def elsewhere(command: Command) -> str:
    """The test that runs this command, if it is not run here."""
    return next((test for pattern, test in ELSEWHERE.items() if re.fullmatch(pattern, str(command), re.DOTALL)), "")
