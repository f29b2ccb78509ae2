"""What BatchImportFindings accepts: the service's own model, and the limits that only its documentation states."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

TEXT_LIMITS = {"Title": 256, "Description": 1024, "Id": 512, "GeneratorId": 512, "ProductArn": 2048}
FINDING_BYTES = 240_000


@cache
def model() -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("securityhub")


def assert_accepted(call: dict[str, Any], name: str = "") -> None:
    """One call: at most 100 findings of one account and Region, each within its limits."""
    from botocore.validate import ParamValidator

    problems = ParamValidator().validate(call, model().operation_model("BatchImportFindings").input_shape)
    assert not problems.has_errors(), (name, problems.generate_report())
    assert len(call["Findings"]) <= 100, name
    assert len({(item["AwsAccountId"], item["Region"]) for item in call["Findings"]}) == 1, name
    for finding in call["Findings"]:
        assert_finding(finding)


def assert_finding(finding: dict[str, Any]) -> None:
    assert len(json.dumps(finding).encode()) <= FINDING_BYTES
    for field, limit in TEXT_LIMITS.items():
        assert len(finding[field].strip()) > 0 and len(finding[field]) <= limit, field
    assert finding["Severity"]["Label"] in values("SeverityLabel")
    assert finding["Workflow"]["Status"] in values("WorkflowStatus")
    assert finding["RecordState"] in values("RecordState")
    assert finding["Compliance"]["Status"] in values("ComplianceStatus")
    requirements = finding["Compliance"].get("RelatedRequirements", [])
    assert len(requirements) <= 32 and all(0 < len(text) <= 64 for text in requirements)
    assert len(finding["Remediation"]["Recommendation"]["Text"]) <= 512
    assert 1 <= len(finding["Resources"]) <= 32
    assert all(0 < len(item["Id"]) <= 512 for item in finding["Resources"])
    assert all(len(key) <= 128 and len(value) <= 2048 for key, value in finding["ProductFields"].items())
    assert len(finding["ProductFields"]) <= 50
    assert finding["ProductArn"].split(":")[3:5] == [finding["Region"], finding["AwsAccountId"]]


def values(name: str) -> list[str]:
    return list(model().shape_for(name).enum)
