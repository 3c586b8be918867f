-- SPEC Q1: take out the rows of the contacts that changed, and what is copied whole.
delete from opportunity_details where external_contact_id in (select contact_key from chosen);
delete from prospects where external_contact_id in (select contact_key from chosen);
delete from leads where external_contact_id in (select contact_key from chosen);
delete from jobs where external_contact_id in (select contact_key from chosen);
delete from appointments where external_contact_id in (select contact_key from chosen);
delete from raw.prospects where external_contact_id in (select contact_key from chosen) or external_contact_id is null;
delete from raw.leads where external_contact_id in (select contact_key from chosen) or external_contact_id is null;
delete from rejected_records;
delete from held_opportunities;
