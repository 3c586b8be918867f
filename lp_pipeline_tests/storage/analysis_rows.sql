-- Hand-made rows for `test_analysis.py`: seven contacts of an account in New York, published on Monday, March 2, at noon.
insert into published by name
select
    9 as sync_id, '2026-03-02 17:00:00+00'::timestamptz as published_at, 'America/New_York' as leadperfection_timezone,
    7 as opportunities, 0 as gone_opportunities, 1 as rejected_records;

insert into leads by name
select
    '1' as external_contact_id, '10' as external_id, 'Sold' as disposition, 'Internet' as source, 'Doe, Pat' as sales_rep,
    timestamp '2026-03-01 23:30' as entered_at, true as appointment_set, timestamp '2026-03-02 10:00' as appointment_at,
    true as sold, 20000 as gross_sale_amount
union all
select '2', '20', 'Not Interested', 'Internet', 'Doe, Pat', '2026-02-28 09:00', true, '2026-03-01 14:00', false, 0
union all
select '3', '30', 'New', 'TV', null, '2026-02-28 20:00', false, null, false, 0
union all
select '4', '40', 'Canceled', 'TV', 'Ray, Lee', '2026-02-20 09:30', true, '2026-02-25 14:00', false, 0
union all
select '5', '50', 'Sit No Sale', 'TV', 'Ray, Lee', '2026-01-05 10:00', true, '2026-01-10 10:00', false, 0
union all
select '6', '60', 'No Answer', null, null, '2025-06-01 10:00', false, null, null, null
union all
select '7', '70', 'Issued', 'Internet', 'Doe, Pat', '2026-03-02 11:30', true, '2026-03-03 09:00', false, 0;

insert into appointments by name
select
    '2' as external_contact_id, '20' as external_id, 'a2' as appointment_id, timestamp '2026-03-01 14:00' as appointment_at,
    'Sit No Sale' as disposition
union all select '4', '40', 'a4', '2026-02-22 14:00', 'Reset'
union all select '4', '40', 'a5', '2026-02-25 14:00', 'Canceled'
union all select '7', '70', 'a7', '2026-03-03 09:00', 'Issued';

insert into jobs by name
select
    '1' as external_contact_id, '10' as external_id, 'New' as job_status, timestamp '2026-03-02' as contract_date,
    20000 as gross_amount
union all select '9', '90', 'Measured', '2026-02-10', 10000;

insert into prospects by name
select '1' as external_contact_id, 'Troy' as city, '(518) 555-0101' as phone
union all select '2', 'Troy', '518-555-0101'
union all select '3', 'Albany', '5185550103'
union all select '7', 'Albany', null;

insert into internal.contact_points by name
select 'phone' as kind, '(518) 555-0101' as written, 1 as place, '5185550101' as form
union all select 'phone', '518-555-0101', 1, '5185550101'
union all select 'phone', '5185550103', 1, '5185550103';

insert into opportunity_details by name
select
    l.external_contact_id, l.external_id, l.disposition as status, 'lead+prospect' as combination, 1 as opportunity_place,
    timezone('America/New_York', u.updated_at) as external_updated_at,
    timezone('America/New_York', l.entered_at) as external_created_at, l.entered_at as external_created_local,
    u.updated_at::timestamptz as first_synced_at, u.updated_at::timestamptz as changed_at
from leads as l
inner join (
    values
    ('1', timestamp '2026-03-01 21:40'), ('2', '2026-03-01 14:00'), ('3', '2026-02-28 23:30'), ('4', '2026-02-20 10:00'),
    ('5', '2026-01-10 11:00'), ('6', '2025-06-02 08:00'), ('7', '2026-03-02 11:30')
) as u (external_contact_id, updated_at) on u.external_contact_id = l.external_contact_id;

insert into calls by name
select
    '2' as external_contact_id, timestamp '2026-02-28 09:20' as called_at, 'NA' as result_code, 'No Answer' as result
union all select '3', '2026-03-02 09:00', 'LM', 'Left Message'
union all select '4', '2026-02-20 10:00', 'SET', null;

insert into communications by name
select
    'c1' as communication_id, 'h1' as contact_id, null as external_contact_id, 'text' as channel, 'outbound' as direction,
    'automated agent' as actor_type, null as actor_name, '2026-03-02 04:33:00+00'::timestamptz as occurred_at
union all select 'c2', 'h1', null, 'text', 'inbound', 'contact', null, '2026-03-02 04:40:00+00'
union all select 'c3', 'h1', null, 'text', 'outbound', 'hatch_user', 'Ray, Lee', '2026-03-02 04:50:00+00'
union all select 'c4', 'h2', '2', 'text', 'outbound', 'automated agent', null, '2026-02-28 14:10:00+00'
union all select 'c5', 'h9', null, 'text', 'inbound', 'contact', null, '2026-03-02 16:00:00+00'
union all select 'c6', 'h7', null, 'email', 'outbound', 'automated agent', null, '2026-03-02 16:35:00+00';

insert into communication_pushes by name
select
    'c1' as communication_id, 'note' as target, 'sent' as state, null as reason, null as external_contact_id,
    null as words
union all select 'c1', 'call_log', 'skipped', 'switched_off', null, null
union all select 'c4', 'note', 'uncertain', 'unknown', '2', null
union all select 'c5', 'note', 'unmatched', 'none', null, null
union all select 'c6', 'note', 'sent', null, '7', null;

insert into hatch_deliveries by name
select
    '1' as external_contact_id, 'delivered' as state, 'h1' as hatch_contact_id, null as error_code, null as error_field,
    null as words, '2026-03-02 04:32:00+00'::timestamptz as updated_at
union all select '3', 'refused', null, 422, '/email', 'is invalid', '2026-03-01 04:30:00+00'
union all select '5', 'unreachable', null, null, null, null, '2026-01-10 16:00:00+00';

insert into opportunity_changes by name
select
    '1' as external_contact_id, '10' as external_id, '2026-03-02 02:45:00+00'::timestamptz as changed_at, 8 as sync_id,
    'status' as column_name, 'Set' as old_value, 'Sold' as new_value
union all select '2', '20', '2026-02-27 18:00:00+00', 7, 'status', 'Set', 'Not Interested'
union all select '7', '70', '2026-03-02 16:45:00+00', 9, null, null, null;

insert into speed_to_lead by name
select
    '1' as external_contact_id, '10' as external_id, 8 as sync_id, '2026-03-02 04:30:00+00'::timestamptz as stamped_at,
    '2026-03-02 04:34:00+00'::timestamptz as published_at, 240 as seconds
union all select '3', '30', 8, '2026-03-02 04:28:00+00', '2026-03-02 04:34:00+00', 360
union all select '7', '70', 9, '2026-03-02 16:30:00+00', '2026-03-02 16:40:00+00', 600
union all select '6', '60', 1, '2025-06-01 14:00:00+00', '2025-06-01 16:00:00+00', 7200;

insert into rejected_records by name
select
    '8' as external_contact_id, ['email'] as missing, 'prospect' as combination, 1 as attempts,
    '2026-03-02 04:45:00+00'::timestamptz as first_rejected_at, '2026-03-02 04:45:00+00'::timestamptz as last_rejected_at;

insert into sync_runs by name
select
    9 as sync_id, feed, '2026-03-02 16:20:00+00'::timestamptz as window_from, '2026-03-02 17:00:00+00'::timestamptz as window_to,
    '2026-03-02 17:00:00+00'::timestamptz as started_at, 'read' as outcome, true as watermark_moved, 'sync' as kind
from (values ('leads'), ('prospects')) as f (feed);
