-- SPEC R5: what arrives for the first time, but occurred before the copy was restored, may have arrived before.
-- Parameters: pushes (JSON list of communication and target), until.
insert or ignore into pushes_to_look_for
select c.communication_id, json_extract(n.value, '$[1]')
from json_each(:pushes) as n inner join communications as c on c.communication_id = json_extract(n.value, '$[0]')
where c.occurred_at <= :until;
