"""LeadPerfection and Hatch over HTTP, as their contracts say. No Dagster, no DuckDB, no files but the rate limit's."""
