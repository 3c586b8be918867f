-- The input of `addresses.sql` besides published.duckdb.
create temp table asked as
select
    unnest($communication_id::varchar[]) as communication_id,
    unnest($given_contact_ids::varchar[][]) as given_contact_ids,
    unnest($given_lead_id::varchar[]) as given_lead_id,
    unnest($phone::varchar[]) as phone,
    unnest($email::varchar[]) as email;
