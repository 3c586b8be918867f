-- SPEC J8: phone numbers and email addresses of the batch whose normal form is not known yet. Those of the usual look have
-- it at once, and Python computes that of the others: both ways give the same (test_contact_points.py).
create or replace temp table unknown_contact_points as
with written as (
    select 'phone' as kind, pipeline.lp_text(prospect.phone1) as written from typed_readings
    union
    select 'phone', pipeline.lp_text(other.phone)
    from (select unnest(prospect.altphones) as other from typed_readings)
    union
    select 'email', pipeline.lp_text(prospect.email) from typed_readings
)
select
    kind,
    written,
    case
        when
            kind = 'phone'
            and regexp_full_match(
                written, '(\+?1[-. ]?)?(\([2-9]\d\d\) ?|[2-9]\d\d[-. ]?)\d{3}[-. ]?\d{4}'
            )
            then right(regexp_replace(written, '\D', '', 'g'), 10)
        when
            kind = 'email'
            and length(written) <= 254
            and position('@' in written) <= 65
            and regexp_full_match(
                written,
                '[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}'
            )
            then lower(written)
    end as form
from written anti join pipeline.contact_points as c using (kind, written)
where written is not null;

insert into pipeline.contact_points
select kind, written, 1, form from unknown_contact_points where form is not null;

create or replace temp table unusual_contact_points as
select row_number() over () - 1 as place, kind, written from unknown_contact_points where form is null;

select count(*) from unusual_contact_points;
