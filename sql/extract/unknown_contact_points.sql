-- SPEC J8: the phone numbers and e-mail addresses that `landed` writes in a way never seen before, so that Python computes
-- their form.
with written as (
    select 'phone' as kind, pipeline.lp_text(fields ->> '$.phone1') as written from landed
    union
    select 'phone', pipeline.lp_text(other ->> '$.phone')
    from (
        select unnest(from_json(fields -> '$.altphones', '["json"]')) as other
        from landed
        where json_type(fields, '$.altphones') = 'ARRAY'
    )
    union
    select 'email', pipeline.lp_text(fields ->> '$.email') from landed
)
select kind, written
from written anti join pipeline.contact_points as c using (kind, written)
where written is not null;
