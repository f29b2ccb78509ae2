"""Every format of the demonstration's result: the public schemas hold for all its findings, and the counts agree."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest

import auditor.report
from auditor.report import read_result, render
from tests.end_to_end.conftest import Answer

pytestmark = pytest.mark.slow
VENDOR = Path(__file__).parents[1] / "report" / "vendor"


@pytest.fixture(scope="session")
def files(demo: Answer) -> dict[str, bytes]:
    report = read_result(demo.files()["result.json"].read_bytes())
    forms = ("json", "sarif", "ocsf", "asff", "markdown", "html")
    return {name: content for form in forms for name, content in render(report, form).items()}


@cache
def schema_of(path: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return document


def problems(checker: jsonschema.protocols.Validator, document: object) -> list[str]:
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in checker.iter_errors(document)][:5]


def test_result_fits_the_published_schema(files: dict[str, bytes]) -> None:
    schema = schema_of(Path(auditor.report.__file__).parent / "result.schema.json")
    assert problems(jsonschema.Draft202012Validator(schema), json.loads(files["result.json"])) == []


def test_sarif_fits_the_schema_of_the_standard(files: dict[str, bytes]) -> None:
    schema = schema_of(VENDOR / "sarif-schema-2.1.0.json")
    checker = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    assert problems(checker, json.loads(files["report.sarif"])) == []


@pytest.mark.filterwarnings("ignore")
def test_ocsf_fits_the_models(files: dict[str, bytes]) -> None:
    from py_ocsf_models.events.findings.detection_finding import DetectionFinding

    for entry in json.loads(files["findings.ocsf.json"]):
        DetectionFinding.model_validate(entry)


def test_asff_fits_the_service_call_by_call(files: dict[str, bytes]) -> None:
    from tests.report.asff_limits import assert_accepted

    calls = {name: json.loads(content) for name, content in files.items() if name.startswith("asff/")}
    assert len(calls) > 1
    for name, call in calls.items():
        assert_accepted(call, name)
    together = [finding["Id"] for call in calls.values() for finding in call["Findings"]]
    assert sorted(together) == sorted(item["Id"] for item in json.loads(files["findings.asff.json"])["Findings"])


def test_counts_agree(files: dict[str, bytes]) -> None:
    result = json.loads(files["result.json"])
    number = len(result["findings"])
    assert number == result["counts"]["findings"] > 200
    assert len(json.loads(files["report.sarif"])["runs"][0]["results"]) == number
    assert len(json.loads(files["findings.ocsf.json"])) == number
    assert len(json.loads(files["findings.asff.json"])["Findings"]) == number
    assert files["report.html"].count(b'<tr class="finding"') == number
    assert f"| critical | {result['counts']['critical']} |" in files["summary.md"].decode()
