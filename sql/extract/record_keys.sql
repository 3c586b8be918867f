-- SPEC J1: the names of prospects' keys and the bit that each has in raw.readings.key_bits.
select place, name from pipeline.record_keys order by place
