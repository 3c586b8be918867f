-- SPEC M9: clear the staging area after held opportunities were accepted or dropped.
insert into pipeline.unpublished_contacts
select contact_key from pipeline.batch
union
select external_contact_id from presence;

delete from pipeline.batch;
