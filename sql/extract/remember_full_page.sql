-- LeadPerfection has given a full page of this size (SPEC W4). Parameter: page_size.
insert into pipeline.full_pages
select $page_size where not exists (select 1 from pipeline.full_pages where page_size = $page_size)
