"""Pure: a Report → bytes. One file per format; nothing here evaluates, judges, writes to disk or prints.

``render`` gives the files of a format, ``read_result`` turns a ``result.json`` into the Report again.
"""

from auditor.report.formats import FORMATS, render
from auditor.report.result import read_result, write_result

__all__ = ["FORMATS", "read_result", "render", "write_result"]
