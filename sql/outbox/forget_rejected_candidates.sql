-- SPEC E5: what arrived from Hatch and could not be read.
select record from rejected_communications;
