-- A piece of history is read again and merged; null: it was the last one (SPEC S1). Variable: swept_to.
delete from pipeline.sweep;
insert into pipeline.sweep values (getvariable('swept_to'));
