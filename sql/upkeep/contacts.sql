-- SPEC K2, E5: every prospect that a warehouse knows.
select external_contact_id from raw.readings where external_contact_id is not null
union
select external_contact_id from opportunities
order by all;
