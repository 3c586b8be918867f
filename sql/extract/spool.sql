-- The spool file of one piece: a line for each reading. Ids are JSON texts, for an id may contain anything.
-- Variables: spool, longest_line, buffer_size (bytes); first_no and first_page (what place 0 of page 0 has), shapes (the
-- key_bits of the records' different sets of keys, as text).
create or replace temp macro spooled() as table
with lines as (
    select *
    from read_csv(
        getvariable('spool'),
        columns = {
            page: 'integer',
            place: 'integer',
            read_at: 'timestamptz',
            contact_key: 'varchar',
            external_contact_id: 'varchar',
            digest: 'ubigint',
            shape: 'bigint',
            record: 'varchar',
            normal: 'varchar'
        },
        delim = e'\x01',
        quote = '',
        escape = '',
        header = false,
        auto_detect = false,
        max_line_size = getvariable('longest_line'),
        buffer_size = getvariable('buffer_size')
    )
)
select
    getvariable('first_no') + page * 100000::bigint + place as reading_no,
    getvariable('first_page') + page as page,
    place,
    read_at,
    contact_key ->> '$' as contact_key,
    external_contact_id ->> '$' as external_contact_id,
    digest,
    getvariable('shapes')[shape + 1]::hugeint as key_bits,
    record,
    normal
from lines;
