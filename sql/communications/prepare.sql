-- What `addresses.sql` works with besides published.duckdb.
create temp macro pipeline_ten_digits(value) as
    case
        when regexp_full_match(regexp_replace(value, '\D', '', 'g'), '1?\d{10}')
            then right(regexp_replace(value, '\D', '', 'g'), 10)
    end;

create temp table asked as
select
    unnest($communication_id::varchar[]) as communication_id,
    unnest($given_contact_ids::varchar[][]) as given_contact_ids,
    unnest($given_lead_id::varchar[]) as given_lead_id,
    unnest($phone::varchar[]) as phone,
    unnest($email::varchar[]) as email;
