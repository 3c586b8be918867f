-- SPEC J8: some of those whose normal form Python computes. Parameters: first, most.
select kind, written from unusual_contact_points where place >= $first and place < $first + $most
