-- F1: whether a lead with these dates has another content for sure than it had with the stamp `before`, which is one of
-- the two that it had then (lead_changed_at in staged_opportunities.sql). What is sure needs no comparison, for which the
-- reading before would have to be unpacked. False if the dates are no content, and for whoever asks in which fields
-- contents differ. Variables: zone, ignored, telling_fields.
create or replace temp macro is_stamped_anew(lastchangedon, dateentered, before) as
    before is not null
    and before is distinct from pipeline.lp_instant(lastchangedon, getvariable('zone'))
    and before is distinct from pipeline.lp_instant(dateentered, getvariable('zone'))
    and not coalesce(list_has_any(getvariable('ignored')::varchar[], ['lastchangedon', 'dateentered']), false)
    and not coalesce(getvariable('telling_fields'), false);
