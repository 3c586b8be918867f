-- Whether communications, pushes and deliveries are published again.
select outbox_changed from state;
