-- SPEC M9: clear the staging area after held opportunities were accepted or dropped.
delete from pipeline.batch;
