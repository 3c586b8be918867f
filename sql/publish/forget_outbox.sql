-- SPEC Q1: take out what came from the outbox, of which any row may have changed.
delete from raw.communications;
delete from communications;
delete from rejected_communications;
delete from communication_pushes;
delete from hatch_deliveries;
