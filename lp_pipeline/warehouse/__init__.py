"""The DuckDB files: opening and closing them, transactions, named SQL, and the copy that people query.

Knows no LeadPerfection and no Dagster. What the statements decide stands in `sql/`.
"""

from lp_pipeline.statements import statement
from lp_pipeline.warehouse.database import Warehouse

__all__ = ["Warehouse", "statement"]
