"""What a stranger gets: a wheel that runs anywhere, and a command line that answers at once."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from lp_pipeline_tests.first_sync import small_sandbox

CHECKOUT = Path(__file__).resolve().parent.parent
OURS = ("LP_", "HATCH_", "PUSH_", "INBOX_", "COMMUNICATIONS_", "DAGSTER_", "PYTHON")
HELP = """
import sys
from importlib.metadata import entry_points
from click.testing import CliRunner

def ask(command, path):
    assert CliRunner().invoke(main, [*path, "--help"]).exit_code == 0, path
    for name, inner in getattr(command, "commands", {}).items():
        ask(inner, [*path, name])

main = entry_points(group="console_scripts")["lp-pipeline"].load()
ask(main, [])
print(*sorted({"dagster", "duckdb", "pandas"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel, and with this environment's dependencies, but not its checkout.

    A folder that a .pth file names is searched, but its own .pth files, such as the checkout's, are not read.
    """
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False)
    fresh = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(fresh), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (_packages(folder) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return fresh


def _packages(environment: Path) -> Path:
    return next(environment.glob("lib/python3*/site-packages"))


def run(folder: Path, *command: object) -> str:
    """The output of a command that succeeds, run in that folder as a new user's shell would."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    folder.mkdir(exist_ok=True)
    ended = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environ, text=True, capture_output=True, timeout=600
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_wheel_holds_what_the_program_reads_and_nothing_else(wheel: Path) -> None:
    """All SQL, Dagster's configuration, the example of a settings file, the license; no tests, no settings, no data."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    sql = {f"lp_pipeline/{path.relative_to(CHECKOUT)}" for path in CHECKOUT.glob("sql/**/*.sql")}
    code = {f"{path.relative_to(CHECKOUT)}" for path in CHECKOUT.glob("lp_pipeline/**/*.py")}
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    read = {
        f"lp_pipeline/{name}"
        for name in ("dagster.yaml", "deploy/dagster-postgres.yaml", "lp_pipeline.env.example", "py.typed")
    } | {"lp_pipeline/insight/report/style.css", "lp_pipeline/deploy/fleet/dagster.yaml"}
    assert names - metadata == sql | code | read
    assert any(name.endswith("/licenses/LICENSE") for name in metadata)


@pytest.mark.slow
def test_an_installed_wheel_finds_its_sql_in_itself(python: Path, tmp_path: Path) -> None:
    """Nothing comes from a checkout, from any folder: the code, the SQL and the version are the wheel's."""
    ask = (
        "import lp_pipeline.settings.package_data as files, lp_pipeline\n"
        "print(lp_pipeline.__file__, files.package_data('sql'), files.package_data('dagster.yaml'), sep='\\n')"
    )
    for path in run(tmp_path, python, "-c", ask).split():
        assert Path(path).is_relative_to(_packages(python.parent.parent))
        assert Path(path).exists()
    assert run(tmp_path, python.parent / "lp-pipeline", "--version").startswith("lp-pipeline ")


@pytest.mark.slow
def test_an_installed_wheel_syncs_from_any_folder(python: Path, tmp_path: Path) -> None:
    """Without a checkout the command and Dagster run the sync; data and history go into the current folder only."""
    packages = _packages(python.parent.parent)
    before = set(packages.rglob("*.*"))
    here, elsewhere = tmp_path / "with a blank", tmp_path / "elsewhere"
    for folder in (here, elsewhere):
        small_sandbox(folder / "data")
    shown = run(here, python.parent / "lp-pipeline", "sync")
    assert "Published" in shown
    assert "lp-pipeline connect" in shown
    assert [word for word in ("make ", ".venv", "docs/") if word in shown] == []
    run(elsewhere, python, "-m", "dagster", "job", "execute", "-m", "lp_pipeline.definitions", "-j", "sync")
    for folder in (here, elsewhere):
        assert (folder / "data" / "sandbox" / "published.duckdb").exists()
    assert (here / ".dagster" / "dagster.yaml").samefile(packages / "lp_pipeline" / "dagster.yaml")
    assert {path for path in packages.rglob("*.*") if path.suffix != ".pyc"} <= before


def test_help_loads_neither_dagster_nor_duckdb(tmp_path: Path) -> None:
    """`--help`, of every command, answers at once: what takes long to load is loaded by the command that needs it."""
    assert run(tmp_path, sys.executable, "-c", HELP).strip() == ""
