-- SPEC F2, F3: how many leads and prospects are triggered for each reason, the most frequent first.
with reasons as (
    select reason from pipeline.triggered_leads
    union all
    select reason from pipeline.triggered_prospects
)
select reason, count(*) as triggered from reasons group by reason order by triggered desc, reason;
