-- SPEC K1, E4: begin with the base: the state that was kept when the readings before it were removed. Variable: base_at.
insert into opportunities by name
select * exclude (taken_at) from live.base.opportunities where taken_at = getvariable('base_at');
insert into rejected_records by name
select * exclude (taken_at) from live.base.rejected_records where taken_at = getvariable('base_at');
insert into held_opportunities by name
select * exclude (taken_at) from live.base.held_opportunities where taken_at = getvariable('base_at');
insert into calls by name
select * exclude (taken_at) from live.base.calls where taken_at = getvariable('base_at');
insert into pipeline.suspects by name
select * exclude (taken_at) from live.base.suspects where taken_at = getvariable('base_at');
insert into pipeline.merged by name
select * exclude (taken_at) from live.base.merged where taken_at = getvariable('base_at');
insert into pipeline.last_readings by name
select * exclude (taken_at) from live.base.last_readings where taken_at = getvariable('base_at');
insert into pipeline.older_keys by name
select * exclude (taken_at) from live.base.older_keys where taken_at = getvariable('base_at');
insert into pipeline.lead_listings by name
select * exclude (taken_at) from live.base.lead_listings where taken_at = getvariable('base_at');
insert into raw.readings by name
select * from live.raw.readings
where reading_no in (select reading_no from live.base.readings where taken_at = getvariable('base_at'));
