-- SPEC E5, K1: erase one prospect from the states that are kept for replays to begin at. Of the numbers of readings, those
-- that are gone say nothing. Variable: contact; `erased` as in work.sql.
delete from base.opportunities where external_contact_id = getvariable('contact');
delete from base.rejected_records where contact_key in (select contact_key from erased);
delete from base.held_opportunities where external_contact_id = getvariable('contact');
delete from base.calls where external_contact_id = getvariable('contact');
delete from base.suspects where external_contact_id = getvariable('contact');
delete from base.merged where contact_key in (select contact_key from erased);
delete from base.last_readings where contact_key in (select contact_key from erased);
delete from base.older_keys where contact_key in (select contact_key from erased);
delete from base.lead_listings where contact_key in (select contact_key from erased);
