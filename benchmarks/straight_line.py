"""The straight line: read both feeds, keep the records, typed columns, join, replace what changed. Nothing else: no
history, no checks, no restarts. `python -m benchmarks.straight_line ADDRESS FOLDER`
"""

import json
import sys
from pathlib import Path

import duckdb

from benchmarks.limits import COLUMNS, spool
from benchmarks.pages import FEEDS

SCHEMA = """
create table if not exists raw (feed varchar, record varchar using compression zstd);
create table if not exists prospects (
    cst_id varchar, email varchar, firstname varchar, lastname varchar, phone1 varchar, dateadded timestamp,
    lastchanged timestamp
);
create table if not exists leads (
    cst_id varchar, id varchar, disposition varchar, lastchangedon timestamp, dateentered timestamp,
    contractdate timestamp, apptchanged timestamp
);
create table if not exists opportunities (
    external_contact_id varchar, external_id varchar, external_created_at timestamp, external_updated_at timestamp,
    email varchar, first_name varchar, last_name varchar, phone varchar, status varchar, synced_at timestamptz
);
"""
KEEP = """
insert into raw
select $feed, record
from read_csv(
    $path, columns = {'record': 'varchar'}, header = false, delim = '\x01', quote = '', escape = '',
    max_line_size = 10000000
)
"""
READ = """
create temp table shown as
with both_feeds as (
    select 1 as place, * from read_json($leads, format = 'newline_delimited', columns = $columns)
    union all
    select 2 as place, * from read_json($prospects, format = 'newline_delimited', columns = $columns)
)
select
    * replace (
        try_cast(nullif(dateadded, '') as timestamp) as dateadded,
        try_cast(nullif(lastchanged, '') as timestamp) as lastchanged
    )
from both_feeds
qualify row_number() over (partition by cst_id order by place) = 1
"""
LOAD = """
create temp table shown_leads as
with each_lead as (select cst_id, unnest(leads) as lead from shown)
select
    cst_id, lead.id, lead.disposition,
    try_cast(nullif(lead.lastchangedon, '') as timestamp) as lastchangedon,
    try_cast(nullif(lead.dateentered, '') as timestamp) as dateentered,
    try_cast(nullif(lead.jobs[1].contractdate, '') as timestamp) as contractdate,
    try_cast(nullif(lead.appointments[1].lastchangedon, '') as timestamp) as apptchanged
from each_lead;

delete from prospects using shown as s where prospects.cst_id = s.cst_id;
insert into prospects select * exclude (place, leads) from shown;
delete from leads using shown_leads as s where leads.id = s.id;
insert into leads from shown_leads;

create temp table changed as
with joined as (
    select
        p.cst_id as external_contact_id,
        l.id as external_id,
        p.dateadded as external_created_at,
        coalesce(p.lastchanged, l.lastchangedon, l.dateentered, l.contractdate, l.apptchanged) as external_updated_at,
        p.email,
        p.firstname as first_name,
        p.lastname as last_name,
        p.phone1 as phone,
        l.disposition as status
    from shown as p left join shown_leads as l using (cst_id)
)
select j.*, now() as synced_at
from joined as j left join opportunities as o using (external_contact_id, external_id, external_created_at)
where
    o.external_contact_id is null
    or (o.status, o.email, o.phone, o.external_updated_at) is distinct from
        (j.status, j.email, j.phone, j.external_updated_at);

delete from opportunities
using changed as c
where
    opportunities.external_contact_id = c.external_contact_id
    and opportunities.external_id = c.external_id
    and opportunities.external_created_at = c.external_created_at;
insert into opportunities by name from changed;
"""


def main(address: str, folder: Path) -> None:
    """Read, keep, join and replace; print how many opportunities there are."""
    folder.mkdir(parents=True, exist_ok=True)
    records = spool(address, folder)
    paths = {feed: str(folder / f"{feed}.lines") for feed in FEEDS}
    database = f"attach '{folder / 'straight.duckdb'}' as straight (storage_version 'v1.5.0'); use straight;"
    with duckdb.connect() as connection:
        connection.execute(f"{database} {SCHEMA} begin").fetchall()
        for feed, path in paths.items():
            connection.execute(KEEP, {"feed": feed, "path": path}).fetchall()
        connection.execute(READ, {**paths, "columns": COLUMNS}).fetchall()
        connection.execute(f"{LOAD} commit").fetchall()
        ((opportunities,),) = connection.execute("select count(*) from opportunities").fetchall()
    for path in paths.values():
        Path(path).unlink()
    print(json.dumps({"records": records, "opportunities": opportunities}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
