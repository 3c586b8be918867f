-- SPEC J3 to J6: field mapping, and which columns are unavailable. Variables: zone, availability (present, strict,
-- identity).
create or replace table staged_opportunities as
with texts as (
    select
        j.contact_key,
        j.lead_key,
        j.combination,
        p.* exclude (contact_key),
        l.* exclude (contact_key, lead_key),
        -- the dates in one list, for a macro is written out wherever it is used
        list_transform(
            [p.lastchanged, l.lastchangedon, l.dateentered, l.contractdate, l.appointment_lastchangedon],
            lambda date: pipeline.lp_instant(date, getvariable('zone'))
        ) as instants
    from pipeline.joined as j
    inner join pipeline.current_prospects as p using (contact_key)
    left join pipeline.current_leads as l on l.contact_key = j.contact_key and l.lead_key = j.lead_key
),
dated as (
    select
        *,
        created_at as external_created_at,
        created_local as external_created_local,
        -- J3: candidates for external_updated_at; the first one with a value wins
        pipeline.believed(instants[1], updated_read_at) as prospect_changed_at,
        pipeline.believed(instants[2], lead_read_at) as lead_lastchangedon,
        pipeline.believed(instants[3], lead_read_at) as lead_entered_at,
        instants[4] as contract_at,
        pipeline.believed(instants[5], lead_read_at) as appointment_changed_at
    from texts
),
mapped as (
    select
        * exclude (email),
        email is not null as has_email,
        case when contact_key[1] <> '?' then contact_key end as external_contact_id,  -- '?' means no id
        coalesce(
            prospect_changed_at, lead_lastchangedon, lead_entered_at, contract_at, appointment_changed_at
        ) as external_updated_at,
        pipeline.lp_text(email) as email,
        pipeline.lp_text(firstname) as first_name,
        pipeline.lp_text(lastname) as last_name,
        pipeline.lp_text(phone1) as phone,
        pipeline.lp_text(disposition) as status,
        case
            when prospect_changed_at is not null then 'prospect.lastchanged'
            when lead_lastchangedon is not null then 'lead.lastchangedon'
            when lead_entered_at is not null then 'lead.dateentered'
            when contract_at is not null then 'lead.jobs[0].contractdate'
            when appointment_changed_at is not null then 'lead.appointments[0].lastchangedon'
        end as external_updated_at_source,
        coalesce(lead_lastchangedon, lead_entered_at) as lead_changed_at
    from dated
),
-- J6: identity columns need a value. The others need their key (present) or a value (strict).
judged as (
    select
        *,
        [
            {'name': 'email', 'there': has_email, 'value': email is not null},
            {
                'name': 'external_id',
                'there': external_id is not null or combination = 'prospect',
                'value': external_id is not null
            },
            {
                'name': 'external_contact_id',
                'there': external_contact_id is not null,
                'value': external_contact_id is not null
            },
            {
                'name': 'external_created_at',
                'there': external_created_at is not null,
                'value': external_created_at is not null
            },
            {
                'name': 'external_updated_at',
                'there': external_updated_at is not null,
                'value': external_updated_at is not null
            },
            {'name': 'first_name', 'there': firstname is not null, 'value': first_name is not null},
            {'name': 'last_name', 'there': lastname is not null, 'value': last_name is not null},
            {'name': 'phone', 'there': phone1 is not null, 'value': phone is not null},
            {
                'name': 'status',
                'there': lead_no is null or disposition is not null,
                'value': status is not null
            }
        ] as columns
    from mapped
)
select
    contact_key,
    lead_key,
    combination,
    external_contact_id,
    external_id,
    external_created_at,
    external_updated_at,
    email,
    first_name,
    last_name,
    phone,
    status,
    external_updated_at_source,
    external_created_local,
    lead_changed_at,
    [
        c.name for c in columns
        if case getvariable('availability')
            when 'strict' then not c.value
            when 'identity' then not c.there and c.name like 'external%'
            else not c.there
        end
    ] as missing,
    reading_no,
    read_at,
    older_keys,
    lead_no,
    lead_place
from judged;
