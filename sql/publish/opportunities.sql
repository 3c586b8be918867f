-- SPEC J3, M8: each opportunity with its rank within the contact, and both records, by their lowercase names:
-- prospect ->> '$.city'. Variable: slice.
create or replace temp table chosen_opportunities as
select * from work.main.opportunities
where rowid in (select place from chosen_places where slice = getvariable('slice'));

insert into opportunity_details
with prospect_objects as (
    select
        reading_no,
        case when fields is null then coalesce(own, record) else json_merge_patch(fields, '{"leads": null}') end as prospect
    from shown
    where reading_no in (select reading_no from chosen_opportunities)
),
lead_objects as (
    select
        reading_no,
        lead_place,
        case when is_normal then json_merge_patch(fields, '{"?key": null}') else fields end as lead
    from shown_leads
    where (reading_no, lead_place) in (select (lead_no, lead_place) from chosen_opportunities)
)
select
    r.external_contact_id, r.external_id, r.external_created_at, r.external_updated_at,
    r.email, r.first_name, r.last_name, r.phone, r.status,
    r.external_updated_at_source, r.combination, r.external_created_local, r.lead_changed_at,
    r.first_synced_at, r.changed_at, r.read_at, r.gone_since,
    r.opportunity_place,
    case when r.older_keys is null then p.prospect else json_merge_patch(r.older_keys, p.prospect) end,
    l.lead
from work.pipeline.ranked('chosen_opportunities') as r
inner join prospect_objects as p on p.reading_no = r.reading_no
left join lead_objects as l on l.reading_no = r.lead_no and l.lead_place = r.lead_place;
