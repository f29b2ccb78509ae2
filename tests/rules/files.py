"""The cases of a folder: YAML files whose ``cases`` have what stands beside them, and their ``defaults``, in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def cases_in(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Name of the file and case, in order."""
    found: list[tuple[str, dict[str, Any]]] = []
    for path in sorted(folder.glob("*.yaml")):
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
        cases, common = data.pop("cases"), data.pop("defaults", {})
        found += [(path.stem, {**common, **data, **case}) for case in cases]
    return found
