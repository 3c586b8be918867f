-- Whether LeadPerfection has once given a full page of this size (SPEC W4). Parameter: page_size.
select 1 from pipeline.full_pages where page_size = $page_size
