-- The spool file of one piece: a line for each reading. Ids are JSON texts, for an id may contain anything.
-- Variables: spool, longest_line, buffer_size (bytes).
create or replace temp macro spooled() as table
select * replace (contact_key ->> '$' as contact_key, external_contact_id ->> '$' as external_contact_id)
from read_csv(
    getvariable('spool'),
    columns = {
        reading_no: 'bigint',
        page: 'integer',
        place: 'integer',
        read_at: 'timestamptz',
        contact_key: 'varchar',
        external_contact_id: 'varchar',
        digest: 'ubigint',
        key_bits: 'hugeint',
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
);
