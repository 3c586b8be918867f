-- SPEC M6, J7: which readings of the lead feed list which leads, and the leads of this batch's prospects that another
-- prospect has as well. moved.sql decides what that means.
create or replace temp table listed_now as
with current as (
    select external_id, contact_key, lead_no as reading_no
    from pipeline.current_leads
    where contact_key in (select contact_key from pipeline.batch where feed = 'leads' and not stale)
),
-- readings that were outdated when they were merged count too: the lead was there once
outdated as (
    select unnest(from_json(coalesce(normal, record), '{"leads": [{"id": "varchar"}]}').leads).id as external_id,
        contact_key, reading_no
    from raw.readings
    where reading_no in (
        select reading_no from pipeline.unmerged
        where feed = 'leads' and queue_no <= (select max(last_queue_no) from pipeline.batch)
        except
        select reading_no from current
    )
),
listed as (
    select * from current
    union all
    select * from outdated
)
select external_id, contact_key, max(reading_no) as reading_no,
    bool_or(reading_no in (select reading_no from pipeline.batch)) as is_in_batch
from listed
where external_id is not null
group by external_id, contact_key;

-- what is known of these leads and of those that these prospects had, each with its place in the table
create or replace temp table known_listings as
select rowid as place, external_id, contact_key, reading_no
from pipeline.lead_listings
where external_id in (
    select external_id from listed_now
    union all
    select external_id from known_opportunities
    union all
    select external_id from rejected_records where external_contact_id in (select contact_key from pipeline.batch)
);

create or replace temp table elsewhere as
with known as (
    select external_contact_id, external_id from known_opportunities
    union
    select external_contact_id, external_id from outcomes where outcome = 'inserted'
    union
    select external_contact_id, external_id from opportunities
    where external_id in (select external_id from listed_now where is_in_batch)
    union
    select external_contact_id, external_id from rejected_records
    where
        combination = 'lead+prospect'
        and (
            external_contact_id in (select contact_key from pipeline.batch)
            or external_id in (select external_id from listed_now where is_in_batch)
        )
),
listings as (
    select external_id, contact_key, reading_no from listed_now
    union all
    select external_id, contact_key, reading_no from known_listings
)
select k.external_contact_id, k.external_id, max(l.reading_no) as reading_no
from known as k
inner join listings as l on l.external_id = k.external_id and l.contact_key <> k.external_contact_id
group by all;

create or replace temp table moved (external_contact_id varchar, external_id varchar);
