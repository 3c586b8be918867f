-- People see all of it in its new form.
insert into pipeline.unpublished_contacts values (null);
