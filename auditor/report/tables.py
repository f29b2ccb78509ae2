"""Views for notebooks: the only file of the project that knows pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.model.report import Report
from auditor.report.views import views_of

if TYPE_CHECKING:
    import pandas as pd


def access_frame(report: Report) -> pd.DataFrame:
    """One row per principal, key and capability that is not denied; columns as in ``access.csv``, unguarded."""
    import pandas as pd

    view = next(view for view in views_of(report) if view.name == "access")
    return pd.DataFrame(list(view.rows), columns=list(view.columns))
