-- SPEC S1: record how far the sweep through all history has come; null after its last piece. Variable: swept_to.
delete from pipeline.sweep;
insert into pipeline.sweep values (getvariable('swept_to'));
