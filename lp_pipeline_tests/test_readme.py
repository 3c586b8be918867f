"""SPEC Q1, Q2: what the README says about the data works as it is written there, on the sandbox's data."""

import re
import shutil
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.published import open_published
from lp_pipeline_tests.first_sync import first_sync
from lp_pipeline_tests.scenario import lead, prospect

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(page.read_text(encoding="utf-8") for page in sorted((REPOSITORY / "docs").glob("*.md")))]
FENCES = re.MULTILINE | re.DOTALL
OF_SANDBOX = re.compile(r"['\"](3\d{5})['\"]")  # a cst_id
OF_CONTRACT = re.compile(r"['\"](90211|120345)['\"]")  # a made-up one, which nobody in the sandbox has


def blocks(language: str) -> list[str]:
    """The README's examples in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, FENCES)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which somebody ran one sync on the sandbox."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "data").mkdir()
    first_sync(folder / "data" / "sandbox", prospect("90211", lead("120345"), phone1=...))  # one is rejected
    return folder


@pytest.fixture
def checkout(synced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the sandbox's published file where the README has it."""
    data = tmp_path / "data" / "sandbox"
    data.mkdir(parents=True)
    shutil.copy(synced / "data" / "sandbox" / "published.duckdb", data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LP_PIPELINE_DATA", str(data))
    return data / "published.duckdb"


@pytest.mark.slow
def test_its_sql_finds_something(checkout: Path) -> None:
    """Each query has rows, in our file as it is and in a database of one's own with ours attached."""
    found = {}
    for block in blocks("sql"):
        own = "attach" in block
        with duckdb.connect("mine.duckdb" if own else str(checkout), read_only=not own) as connection:
            for each in duckdb.extract_statements(block):
                rows = connection.execute(each).fetchall()
                if each.type == duckdb.StatementType.SELECT:
                    found[each.query.strip()] = len(rows)
    assert len(found) >= 5
    assert [query for query, number in found.items() if not number] == []
    with duckdb.connect("mine.duckdb") as connection:
        assert connection.execute("select count(*) > 0 from sold").fetchall() == [(True,)]


def test_the_assets_sql_finds_something(checkout: Path) -> None:
    """Likewise each query in the description of an asset."""
    specs = build_definitions().resolve_all_asset_specs()
    queries = [each for spec in specs for each in re.findall(r"^```sql\n(.*?)^```$", str(spec.description), FENCES)]
    assert len(queries) >= 8
    with duckdb.connect(str(checkout), read_only=True) as connection:
        assert [each for each in queries if not connection.execute(each).fetchall()] == []


def test_its_python_runs(checkout: Path) -> None:
    """A notebook's call, and an asset of one's own."""
    namespaces = []
    for block in blocks("python"):
        namespaces.append({"__name__": "example"})
        exec(block, namespaces[-1])
    (defs,) = (each["defs"] for each in namespaces if "defs" in each)
    assert isinstance(defs, dg.Definitions)
    with dg.DagsterInstance.ephemeral() as instance:
        assert defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance).success


def test_files_that_it_names_exist() -> None:
    """No question or page of another name."""
    named = re.findall(r"\b((?:docs|sql)/[\w/.-]*)", README)
    assert len(named) > 5
    assert [name for name in named if not (REPOSITORY / name.rstrip(".")).exists()] == []


def test_it_names_every_table(checkout: Path) -> None:
    """Each table and view that people can query, and none that is not there."""
    with open_published(checkout) as connection:
        there = connection.execute(
            "select if(schema_name = 'main', '', schema_name || '.') || name from ("
            "select schema_name, table_name as name from duckdb_tables() where database_name = 'published' union all "
            "select schema_name, view_name from duckdb_views() where database_name = 'published' and not internal"
            ") where schema_name <> 'internal'"
        ).fetchall()
    section = README.partition("### Tables")[2].partition("###")[0]
    rows = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(.*?)`", row)]
    assert sorted(named) == sorted(name for (name,) in there)


def test_ids_in_examples_exist(checkout: Path) -> None:
    """The README's and the pages' example ids are those of the sandbox's people, and those are read."""
    used = {found for page in PAGES for found in OF_SANDBOX.findall(page)}
    assert used
    assert [page for page in PAGES if OF_CONTRACT.search(page)] == []
    with open_published(checkout) as connection:
        known = {row[0] for row in connection.execute("select external_contact_id from prospects").fetchall()}
    assert used <= known
