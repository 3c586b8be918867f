-- SPEC J8: phone numbers and email addresses of the batch whose normal form is not known yet. Python computes it.
with written as (
    select 'phone' as kind, pipeline.lp_text(prospect.phone1) as written from typed_readings
    union
    select 'phone', pipeline.lp_text(other.phone)
    from (select unnest(prospect.altphones) as other from typed_readings)
    union
    select 'email', pipeline.lp_text(prospect.email) from typed_readings
)
select kind, written
from written anti join pipeline.contact_points as c using (kind, written)
where written is not null;
