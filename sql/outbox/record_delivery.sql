-- SPEC D3: the outcome of a delivery; what was delivered last is kept if a later one is refused.
insert into hatch_deliveries values (
    :external_contact_id, :external_id, :external_created_local, :state,
    case when :state = 'delivered' then :digest end,
    case when :state = 'delivered' then :now end,
    case when :state = 'delivered' then :content end,
    :hatch_contact_id,
    case when :state <> 'delivered' then :digest end,
    :error_code, :error_field, :words, :notes, 1, :now
)
on conflict (external_contact_id, external_id, external_created_local) do update set
    state = excluded.state,
    delivered_digest = coalesce(excluded.delivered_digest, hatch_deliveries.delivered_digest),
    delivered_at = coalesce(excluded.delivered_at, hatch_deliveries.delivered_at),
    delivered_content = coalesce(excluded.delivered_content, hatch_deliveries.delivered_content),
    hatch_contact_id = coalesce(excluded.hatch_contact_id, hatch_deliveries.hatch_contact_id),
    refused_digest = excluded.refused_digest,
    error_code = excluded.error_code,
    error_field = excluded.error_field,
    words = excluded.words,
    notes = excluded.notes,
    attempts = hatch_deliveries.attempts + 1,
    updated_at = excluded.updated_at;
