"""CloudTrail records → trails and event data stores with their selectors."""

from __future__ import annotations

from auditor.model.arn import parse_arn
from auditor.model.evidence import AdvancedSelector, EventDataStore, EventSelector, FieldTest, Trail
from auditor.store.values import Data, inner, items, maybe, number, text, texts


def trail(data: Data, account: str, region: str) -> Trail:
    """One trail as one account and Region sees it."""
    home = parse_arn(text(data, "TrailARN"))
    status, selectors = inner(data, "Status"), inner(data, "Selectors")
    return Trail(
        arn=text(data, "TrailARN"),
        name=text(data, "Name"),
        account=account,
        region=region,
        home_account=home.account if home else "",
        home_region=text(data, "HomeRegion") or (home.region if home else ""),
        multi_region=bool(data.get("IsMultiRegionTrail")),
        organization=bool(data.get("IsOrganizationTrail")),
        logging=bool(status["IsLogging"]) if "IsLogging" in status else None,
        kms_key_id=maybe(data, "KmsKeyId"),
        bucket=maybe(data, "S3BucketName"),
        log_group_arn=maybe(data, "CloudWatchLogsLogGroupArn"),
        global_events=bool(data.get("IncludeGlobalServiceEvents")),
        validated=bool(data.get("LogFileValidationEnabled")),
        selectors=tuple(_selector(item) for item in items(selectors, "EventSelectors")),
        advanced=_advanced(selectors),
        selectors_read="Selectors" in data,
    )


def data_store(data: Data, account: str, region: str) -> EventDataStore:
    """One event data store."""
    return EventDataStore(
        arn=text(data, "EventDataStoreArn"),
        name=text(data, "Name"),
        account=account,
        region=region,
        status=text(data, "Status"),
        multi_region=bool(data.get("MultiRegionEnabled")),
        organization=bool(data.get("OrganizationEnabled")),
        kms_key_id=maybe(data, "KmsKeyId"),
        retention_days=number(data, "RetentionPeriod"),
        advanced=_advanced(data),
    )


def _selector(data: Data) -> EventSelector:
    return EventSelector(
        read_write=text(data, "ReadWriteType", "All"),
        management_events=bool(data.get("IncludeManagementEvents", True)),
        excluded_sources=tuple(sorted(texts(data, "ExcludeManagementEventSources"))),
    )


def _advanced(data: Data) -> tuple[AdvancedSelector, ...]:
    return tuple(
        AdvancedSelector(text(item, "Name"), tuple(_test(field) for field in items(item, "FieldSelectors")))
        for item in items(data, "AdvancedEventSelectors")
    )


def _test(data: Data) -> FieldTest:
    return FieldTest(
        field=text(data, "Field"),
        equals=texts(data, "Equals"),
        not_equals=texts(data, "NotEquals"),
        starts_with=texts(data, "StartsWith"),
        not_starts_with=texts(data, "NotStartsWith"),
        ends_with=texts(data, "EndsWith"),
        not_ends_with=texts(data, "NotEndsWith"),
    )
