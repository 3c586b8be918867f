-- SPEC E5: erase one prospect from work.duckdb. What others share with it stays theirs: `written` holds the phone numbers
-- and email addresses, as written, that nobody else has. Records without an id go if they hold one of its own phones or
-- emails. Variable: contact.
create or replace temp table nameless as
select reading_no, contact_key
from raw.readings
where
    contact_key[1] = '?'
    and exists (
        select 1 from written as w
        where w.form is not null and contains(lower(coalesce(normal, record)::varchar), lower(w.written))
    );

create or replace temp table erased as
select getvariable('contact') as contact_key
union all
select distinct contact_key from nameless;

delete from raw.readings where contact_key in (select contact_key from erased);
delete from pipeline.last_readings where contact_key in (select contact_key from erased);
delete from pipeline.unmerged where contact_key in (select contact_key from erased);
delete from pipeline.merged where contact_key in (select contact_key from erased);
delete from pipeline.merge_log_readings where contact_key in (select contact_key from erased);
delete from pipeline.older_keys where contact_key in (select contact_key from erased);
delete from pipeline.lead_listings where contact_key in (select contact_key from erased);
delete from pipeline.unpublished_contacts where contact_key in (select contact_key from erased);
delete from pipeline.suspects where external_contact_id = getvariable('contact');
delete from pipeline.due_deliveries where external_contact_id = getvariable('contact');
delete from pipeline.speed_to_lead where external_contact_id = getvariable('contact');
delete from opportunities where external_contact_id = getvariable('contact');
delete from opportunity_changes where external_contact_id = getvariable('contact');
delete from held_opportunities where external_contact_id = getvariable('contact');
delete from calls where external_contact_id = getvariable('contact');
delete from unannounced_changes where external_contact_id = getvariable('contact');
delete from rejected_records where contact_key in (select contact_key from erased);
delete from pipeline.contact_points where (kind, written) in (select row(kind, written) from written);

-- nothing that is published already may be kept
insert into pipeline.unpublished_contacts values (null);

-- what is staged and not merged yet
delete from pipeline.batch where contact_key in (select contact_key from erased);
delete from pipeline.triggered_leads where contact_key in (select contact_key from erased);
delete from pipeline.triggered_prospects where contact_key in (select contact_key from erased);
delete from pipeline.current_prospects where contact_key in (select contact_key from erased);
delete from pipeline.current_leads where contact_key in (select contact_key from erased);
delete from pipeline.joined where contact_key in (select contact_key from erased);
delete from staged_opportunities where contact_key in (select contact_key from erased);

-- an empty list would stand for everybody (SPEC E4)
update pipeline.merge_log
set chosen = list_transform(
    chosen, lambda id: case when id = getvariable('contact') then 'erased' else id end
)
where list_contains(chosen, getvariable('contact'));

-- LeadPerfection's own words may quote a record
update sync_runs
set error = failure
where exists (select 1 from written as w where w.form is not null and contains(lower(error), lower(w.written)));
