-- SPEC C5: the contact history has changed, so unmatched pushes are due again.
update communication_pushes set next_try_at = null where state = 'unmatched' and next_try_at <> '9999';
