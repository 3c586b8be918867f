-- SPEC E5: the phone numbers and email addresses that LeadPerfection ever showed for a prospect, as written, and by how
-- many others each is used, in the same writing or in another one (SPEC J8). Variable: contact.
with read as (
    select
        contact_key,
        from_json(
            coalesce(normal, record), '{"email": "VARCHAR", "phone1": "VARCHAR", "altphones": [{"phone": "VARCHAR"}]}'
        ) as prospect
    from raw.readings
    union all
    select
        contact_key,
        from_json(older_keys, '{"email": "VARCHAR", "phone1": "VARCHAR", "altphones": [{"phone": "VARCHAR"}]}')
    from pipeline.older_keys
),
texts as (
    select distinct contact_key, kind, pipeline.lp_text(written) as written
    from (
        select contact_key, 'phone' as kind, prospect.phone1 as written from read
        union all
        select contact_key, 'phone', unnest(prospect.altphones).phone from read
        union all
        select contact_key, 'email', prospect.email from read
    )
    where written is not null
),
forms as (
    select t.contact_key, t.kind, t.written, p.form
    from texts as t left join pipeline.contact_points as p on p.kind = t.kind and p.written = t.written
),
-- a record without an id may be the person's own
others as (select * from forms where contact_key <> getvariable('contact') and contact_key[1] <> '?')
select
    f.kind,
    f.written,
    f.form,
    (select count(distinct o.contact_key) from others as o where o.kind = f.kind and o.written = f.written),
    (select count(distinct o.contact_key) from others as o where o.kind = f.kind and o.form = f.form)
from forms as f
where f.contact_key = getvariable('contact')
order by all;
