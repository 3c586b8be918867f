"""dlt as its documentation shows it: the REST API source, nested tables, merge.

`python -m benchmarks.dlt_ordinary ADDRESS FOLDER`, in dlt's own environment (`requirements-dlt.lock`).
"""

import sys
from pathlib import Path
from typing import Any

from benchmarks.dlt_fastest import finish, pipeline_in, prepare
from benchmarks.pages import FEEDS, WINDOW, Reader

TABLES = {"leads": "prospects", "prospects": "prospects_themselves"}


def main(address: str, folder: Path) -> None:
    """Load both feeds, then make opportunities of them; print how many there are."""
    prepare(folder)
    from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator
    from dlt.sources.rest_api import rest_api_source

    class FormPages(PageNumberPaginator):
        """LeadPerfection wants the page's number in the form."""

        def init_request(self, request: Any) -> None:
            """The first page."""
            self.update_request(request)

        def update_request(self, request: Any) -> None:
            """The next ones."""
            request.data = {**request.data, "StartIndex": self.current_value}

    def resource(feed: str) -> dict[str, Any]:
        return {
            "name": TABLES[feed],
            "primary_key": "cst_id",
            "write_disposition": "merge",
            "endpoint": {
                "path": FEEDS[feed],
                "method": "POST",
                "data": dict(WINDOW),
                "data_selector": "$",
                "paginator": FormPages(base_page=1, total_path=None),
            },
        }

    client = {"base_url": f"{address}/api/Customers/", "headers": {"Authorization": f"Bearer {Reader(address).token}"}}
    source = rest_api_source({"client": client, "resources": [resource(feed) for feed in FEEDS]})
    pipeline = pipeline_in(folder)
    finish(pipeline, pipeline.run(source), "crm.prospects__leads as l on l._dlt_parent_id = p._dlt_id")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
