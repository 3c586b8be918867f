-- Which contacts are still open, but did not change for two weeks? The longest untouched come first. Times are in the account's
-- time zone.
-- Parameter days: for how many days, instead of 14
-- Parameter closed: statuses that are not open, with commas, instead of Sold,Canceled,Not Interested
select
    o.external_contact_id, o.external_id, o.status, l.source, l.sales_rep,
    timezone(p.leadperfection_timezone, o.external_updated_at) as updated_at,
    floor((epoch(p.published_at) - epoch(o.external_updated_at)) / 86400)::integer as days_ago
from current_opportunities as o
cross join published as p
left join leads as l on l.external_contact_id = o.external_contact_id and l.external_id = o.external_id
where
    o.gone_since is null
    and o.external_updated_at <= p.published_at - to_days(coalesce(getvariable('days')::integer, 14))
    and not coalesce(l.sold, false)
    and not list_contains(
        list_transform(
            string_split(lower(coalesce(getvariable('closed')::varchar, 'Sold,Canceled,Not Interested')), ','),
            lambda word: trim(word)
        ),
        lower(coalesce(o.status, ''))
    )
order by o.external_updated_at, o.external_contact_id;
