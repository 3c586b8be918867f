-- The ten most frequent statuses. Holds no personal data: Dagster keeps it with the run.
select
    coalesce(status, '(none)') as status,
    count(*) as opportunities,
    count(*) filter (gone_since is not null) as gone
from opportunities
group by all
order by opportunities desc, status
limit 10;
