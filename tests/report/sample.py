"""Makes ``reports/sample/`` anew from the demonstration: ``python -m tests.report.sample`` (needs Chromium)."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.report.chromium import browser

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"
KEPT = ("report.html", "findings.csv", "summary.md")
SIZE = {"width": 1300, "height": 900, "deviceScaleFactor": 1, "mobile": False}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "auditor", "demo", "--output-dir", folder, "-f", "html", "-f", "csv"]
        subprocess.run([*command, "-f", "markdown"], check=True)
        (report,) = Path(folder).glob("*/*/report.html")
        SAMPLE.mkdir(parents=True, exist_ok=True)
        for name in KEPT:
            shutil.copyfile(report.with_name(name), SAMPLE / name)
    (SAMPLE / "report.png").write_bytes(picture(SAMPLE / "report.html"))


def picture(page: Path) -> bytes:
    """The summary of a report as a reader sees it first, for the README."""
    with browser() as driver:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
        driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        driver.get(page.as_uri())
        return base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])


if __name__ == "__main__":
    main()
