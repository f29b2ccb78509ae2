"""Makes ``reports/sample/`` anew from the demonstration: ``python -m tests.report.sample``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"
KEPT = ("report.html", "findings.csv", "summary.md")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "auditor", "demo", "--output-dir", folder, "-f", "html", "-f", "csv"]
        subprocess.run([*command, "-f", "markdown"], check=True)
        (report,) = Path(folder).glob("*/*/report.html")
        SAMPLE.mkdir(parents=True, exist_ok=True)
        for name in KEPT:
            shutil.copyfile(report.with_name(name), SAMPLE / name)


if __name__ == "__main__":
    main()
