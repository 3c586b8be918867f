-- SPEC K1: what arrived before a time and was no valid communication. Parameter: before.
delete from rejected_communications where landed_at < :before returning landed_at;
