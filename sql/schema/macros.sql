-- SPEC J4, J5: how LeadPerfection's values are read.

-- Text: null, empty and blank count as missing.
create or replace macro pipeline.lp_text(value) as
    case when trim(value) in ('', '[]', '{}') then null else trim(value) end;

-- A date in one of the contract's formats, in LeadPerfection's local time; a UTC offset is applied if there is one.
-- Anything else, and any year before 1970 or after 2199 (the sentinels), counts as missing. Python: clients/lp_dates.py.
-- Planning either macro takes longer than running it on a few rows: a statement with several dates puts them into a list.
create or replace macro pipeline.lp_wall(value, zone) as
    case
        when regexp_full_match(
            value, '(19[7-9]\d|2[01]\d\d)-\d\d-\d\d([T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,7})?)?'
        )
            then try_cast(value as timestamp)
        when regexp_full_match(
            value,
            '(19[7-9]\d|2[01]\d\d)-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,7})?(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)'
        )
            then timezone(zone, try_cast(value as timestamptz))
    end;

-- The same with a time zone. A local time that occurs twice is the later one; a skipped one moves forward by the change.
create or replace macro pipeline.lp_instant(value, zone) as
    case
        when regexp_full_match(
            value, '(19[7-9]\d|2[01]\d\d)-\d\d-\d\d([T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,7})?)?'
        )
            then timezone(zone, try_cast(value as timestamp))
        when regexp_full_match(
            value,
            '(19[7-9]\d|2[01]\d\d)-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,7})?(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)'
        )
            then try_cast(value as timestamptz)
    end;

-- A change timestamp or `dateadded`: counts as missing if it is more than 26 hours later than its reading.
create or replace macro pipeline.believed(instant, read_at) as
    case when instant <= read_at + interval 26 hours then instant end;
create or replace macro pipeline.lp_stamp(value, zone, read_at) as
    pipeline.believed(pipeline.lp_instant(value, zone), read_at);

-- F2: a lead's change timestamps, as received. `lead` has dateentered, lastchangedon, appointments and jobs.
create or replace macro pipeline.lead_stamps(lead) as
    [lead.dateentered, lead.lastchangedon]
    || coalesce([a.lastchangedon for a in lead.appointments], [])
    || coalesce([j.lastchanged for j in lead.jobs], [])
    || coalesce([j.lastchangedon for j in lead.jobs], []);

-- The same of a lead's content (F1), as JSON text.
create or replace macro pipeline.content_stamps(content) as
    pipeline.lead_stamps(
        from_json(
            content,
            '{
                "dateentered": "VARCHAR", "lastchangedon": "VARCHAR",
                "appointments": [{"lastchangedon": "VARCHAR"}],
                "jobs": [{"lastchanged": "VARCHAR", "lastchangedon": "VARCHAR"}]
            }'
        )
    );

-- J4: JSON text with its keys in lower case; each key is found with its colon, which no text inside JSON can imitate.
create or replace macro pipeline.lower_keys(record) as
    list_reduce(
        list_prepend(
            record::varchar, list_distinct(regexp_extract_all(record::varchar, '"[^"\\]*[A-Z][^"\\]*"\s*:'))
        ),
        lambda text, key: replace(text, key, lower(key))
    );

-- J3: the columns that differ between two rows of an opportunity, as text, without the ids in its key.
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
