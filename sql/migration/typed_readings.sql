-- For staging/unknown_contact_points: what it looks at, of all readings.
create temp table typed_readings as
select
    from_json(
        coalesce(normal, record),
        '{"email": "VARCHAR", "phone1": "VARCHAR", "altphones": [{"phone": "VARCHAR"}]}'
    ) as prospect
from raw.readings;
