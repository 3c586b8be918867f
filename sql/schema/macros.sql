-- How a value of LeadPerfection is read (SPEC J4, J5). `fields` below is a record with its keys in lower case.

-- Text: null, empty and blank are missing.
create or replace macro pipeline.lp_text(value) as
    case when trim(value) in ('', '[]', '{}') then null else trim(value) end;

-- A date in one of the contract's forms, as LP's wall clock; an offset, where there is one, is honoured.
-- Anything else, and any year before 1970 or after 2199 (the sentinels), is missing. Python: clients/lp_dates.py.
create or replace macro pipeline.lp_wall(value, zone) as
    case
        when try_cast(value[1:4] as integer) not between 1970 and 2199 then null
        when regexp_full_match(value, '\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,7})?)?')
            then try_cast(value as timestamp)
        when regexp_full_match(value, '\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d(:?\d\d)?)')
            then timezone(zone, try_cast(value as timestamptz))
    end;

-- The same as an instant. A wall time that occurs twice is the later instant, a skipped one moves on by the change.
create or replace macro pipeline.lp_instant(value, zone) as
    case
        when regexp_full_match(value, '.*[T ].*(Z|[+-]\d\d(:?\d\d)?)') and pipeline.lp_wall(value, zone) is not null
            then try_cast(value as timestamptz)
        else timezone(zone, pipeline.lp_wall(value, zone))
    end;

-- A change stamp or `dateadded`: missing if it lies more than 26 hours after its reading.
create or replace macro pipeline.lp_stamp(value, zone, read_at) as
    case when pipeline.lp_instant(value, zone) <= read_at + interval 26 hours then pipeline.lp_instant(value, zone) end;

-- The stamps of change that a lead carries (F2), as received.
create or replace macro pipeline.lead_stamps(lead) as
    [lead ->> '$.dateentered', lead ->> '$.lastchangedon']
    || json_extract_string(lead, '$.appointments[*].lastchangedon')
    || json_extract_string(lead, '$.jobs[*].lastchanged')
    || json_extract_string(lead, '$.jobs[*].lastchangedon');

-- Of a prospect's readings in both feeds, key by key (J1): a field, and the keys that the newer one has but leaves empty.
create or replace macro pipeline.newer_field(newer_fields, newer, older, name) as
    case when json_exists(newer_fields, '$.' || name) then newer ->> ('$.' || name) else older ->> ('$.' || name) end;
create or replace macro pipeline.emptied(newer_fields, newer) as
    '{' || coalesce(
        list_aggregate(
            list_transform(
                list_filter(json_keys(newer_fields), lambda key: not json_exists(newer, '$."' || key || '"')),
                lambda key: to_json(key)::varchar || ':null'
            ),
            'string_agg', ','
        ),
        ''
    ) || '}';

-- The columns of J3 that two rows of an opportunity differ in, as text; what names the opportunity is not among them.
create or replace macro pipeline.changed_columns(old_row, new_row) as
    list_filter(
        [
            {'name': 'email', 'old': old_row['email'], 'new': new_row['email']},
            {
                'name': 'external_created_at',
                'old': old_row['external_created_at']::varchar,
                'new': new_row['external_created_at']::varchar
            },
            {
                'name': 'external_updated_at',
                'old': old_row['external_updated_at']::varchar,
                'new': new_row['external_updated_at']::varchar
            },
            {'name': 'first_name', 'old': old_row['first_name'], 'new': new_row['first_name']},
            {'name': 'last_name', 'old': old_row['last_name'], 'new': new_row['last_name']},
            {'name': 'phone', 'old': old_row['phone'], 'new': new_row['phone']},
            {'name': 'status', 'old': old_row['status'], 'new': new_row['status']}
        ],
        lambda pair: pair.old is distinct from pair.new
    );
