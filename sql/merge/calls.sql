-- SPEC S1: keep every call. LeadPerfection shows the last 7 days only, so calls are stored as soon as they are read.
-- Variable: zone.
create or replace temp table new_calls as
with readings as (
    select reading_no from pipeline.unmerged where queue_no <= (select max(last_queue_no) from pipeline.batch)
),
shown as (
    select
        external_contact_id,
        read_at,
        unnest(
            from_json(
                coalesce(normal, record),
                '{"calls": [{
                    "calldatetime": "VARCHAR", "phone": "VARCHAR", "resultcode": "VARCHAR", "resultdescr": "VARCHAR",
                    "calltype": "VARCHAR"
                }]}'
            ).calls
        ) as call
    from raw.readings
    where
        reading_no in (select reading_no from readings)
        and external_contact_id is not null
        -- most have no calls, which their text shows sooner than their JSON; a key may be written with escapes
        and (
            regexp_matches(coalesce(normal, record), '"calls"\s*:\s*([^\[\s]|\[\s*[^\]\s])')
            or contains(coalesce(normal, record), '\u')
        )
),
found as (
    select
        external_contact_id,
        pipeline.lp_wall(call.calldatetime, getvariable('zone')) as called_at,
        pipeline.lp_text(call.phone) as phone,
        pipeline.lp_text(call.resultcode) as result_code,
        pipeline.lp_text(call.resultdescr) as result,
        pipeline.lp_text(call.calltype) as call_type,
        min(read_at) as first_read_at
    from shown
    where call is not null
    group by all
)
select f.*
from found as f
where not exists (
    select 1 from calls as c
    where
        c.external_contact_id = f.external_contact_id
        and c.called_at is not distinct from f.called_at
        and c.phone is not distinct from f.phone
        and c.result_code is not distinct from f.result_code
        and c.result is not distinct from f.result
        and c.call_type is not distinct from f.call_type
);

insert into calls select * from new_calls;
