-- SPEC W4: whether LeadPerfection has ever returned a full page of this size. Parameter: page_size.
select 1 from pipeline.full_pages where page_size = $page_size
