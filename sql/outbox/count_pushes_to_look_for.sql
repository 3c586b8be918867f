-- SPEC R5: how many open pushes are looked up before they are sent.
select l.target, count(*) as number
from pushes_to_look_for as l
inner join communication_pushes as p on p.communication_id = l.communication_id and p.target = l.target
where p.state in ('pending', 'unmatched')
group by l.target
order by l.target;
