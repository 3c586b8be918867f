"""dlt in the fastest set-up that we know: a resource that yields Arrow tables, and merges.

`python -m benchmarks.dlt_fastest ADDRESS FOLDER`, in dlt's own environment (`requirements-dlt.lock`).
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.pages import FEEDS, Reader


def main(address: str, folder: Path) -> None:
    """Load both feeds, then make opportunities of them; print how many there are."""
    prepare(folder)
    os.environ["NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID"] = "true"
    import dlt
    import orjson
    import pyarrow as pa

    pipeline = pipeline_in(folder)
    lead_tables: list[Any] = []

    @dlt.resource(name="prospects", primary_key="cst_id", write_disposition="merge", max_table_nesting=0)
    def prospects() -> Iterator[Any]:
        reader = Reader(address)
        for feed in FEEDS:
            for page in reader.pages(feed):
                records, found = orjson.loads(page), []
                for record in records:
                    for lead in record.pop("leads", ()):
                        nested = {name: orjson.dumps(lead[name]).decode() for name in ("jobs", "appointments")}
                        found.append({**lead, **nested, "cst_id": record["cst_id"]})
                    record.pop("calls", None)
                    record.pop("notes", None)
                if found:
                    lead_tables.append(pa.Table.from_pylist(found))
                yield pa.Table.from_pylist(records)

    @dlt.resource(name="leads", primary_key="id", write_disposition="merge", max_table_nesting=0)
    def leads() -> Iterator[Any]:
        while lead_tables:
            yield lead_tables.pop(0)

    pipeline.extract(prospects())
    if lead_tables:
        pipeline.extract(leads())
    pipeline.normalize()
    finish(pipeline, pipeline.load())


def prepare(folder: Path) -> None:
    """Keep dlt's files in the folder, and dlt quiet; before it is imported."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "DLT_DATA_DIR": str(folder),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
    }
    os.chdir(folder)


def pipeline_in(folder: Path) -> Any:
    """A pipeline into a DuckDB file in the folder."""
    import dlt

    destination = dlt.destinations.duckdb(str(folder / "dlt.duckdb"))
    return dlt.pipeline(
        "lp", destination=destination, dataset_name="crm", pipelines_dir=str(folder / "pipelines"), progress=None
    )


def finish(pipeline: Any, loaded: Any, leads: str = "crm.leads as l on l.cst_id::varchar = p.cst_id::varchar") -> None:
    """Join what was loaded with `leads` to opportunities, as the straight line does; print how many there are."""
    loads = ", ".join(f"'{each}'" for each in loaded.loads_ids)
    with pipeline.sql_client() as client:
        connection = client.native_connection
        for statement in OPPORTUNITIES.replace("LOADED", loads).replace("LEADS", leads).split(";"):
            connection.execute(statement).fetchall()
        ((number,),) = connection.execute("select count(*) from crm.opportunities").fetchall()
    print(json.dumps({"opportunities": number}))


OPPORTUNITIES = """
create table if not exists crm.opportunities (
    external_contact_id varchar, external_id varchar, external_created_at timestamp, external_updated_at timestamp,
    email varchar, first_name varchar, last_name varchar, phone varchar, status varchar, synced_at timestamptz
);
create or replace temp table joined as
select
    p.cst_id::varchar as external_contact_id,
    l.id::varchar as external_id,
    try_cast(nullif(p.dateadded::varchar, '') as timestamp) as external_created_at,
    coalesce(
        try_cast(nullif(p.lastchanged::varchar, '') as timestamp),
        try_cast(nullif(l.lastchangedon::varchar, '') as timestamp)
    ) as external_updated_at,
    p.email, p.firstname as first_name, p.lastname as last_name, p.phone1::varchar as phone, l.disposition as status
from crm.prospects as p left join LEADS
where p._dlt_load_id in (LOADED);
merge into crm.opportunities as o using joined as j
on
    o.external_contact_id = j.external_contact_id
    and o.external_id = j.external_id
    and o.external_created_at = j.external_created_at
when matched and (o.status, o.email, o.phone, o.external_updated_at) is distinct from
    (j.status, j.email, j.phone, j.external_updated_at)
then update set
    email = j.email, status = j.status, phone = j.phone, first_name = j.first_name, last_name = j.last_name,
    external_updated_at = j.external_updated_at, synced_at = now()
when not matched then insert values (
    j.external_contact_id, j.external_id, j.external_created_at, j.external_updated_at, j.email, j.first_name,
    j.last_name, j.phone, j.status, now()
)
"""

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
