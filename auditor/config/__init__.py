"""The configuration: YAML → frozen dataclasses, and their JSON Schema. Reads one file; knows no AWS."""

from __future__ import annotations

from auditor.config.aws_names import check_names
from auditor.config.reading import load_config, parse_config
from auditor.config.schema import config_schema
from auditor.config.sections import CollectionSettings, Config, GateSettings, OutputSettings

__all__ = [
    "CollectionSettings",
    "Config",
    "GateSettings",
    "OutputSettings",
    "check_names",
    "config_schema",
    "load_config",
    "parse_config",
]
