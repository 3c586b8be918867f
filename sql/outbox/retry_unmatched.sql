-- SPEC C5: who Hatch's contacts are is known better now, so those that matched nobody are due again.
update communication_pushes set next_try_at = null where state = 'unmatched' and next_try_at <> '9999';
