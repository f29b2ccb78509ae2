"""Identity providers of an account, and its credential report if somebody else has made one already.

GenerateCredentialReport would create something, so it is never called.
"""

from __future__ import annotations

import csv
import io

from auditor.collectors.caller import Caller
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operations import GET_CREDENTIAL_REPORT, GET_OIDC, LIST_OIDC, LIST_SAML
from auditor.collectors.plain import plain
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

COLUMNS = frozenset({"user", "arn", "mfa_active"})
NO_TABLE = Failure(Cause.MALFORMED, "", "The credential report is not the table that it should be.")


def read_providers(caller: Caller) -> list[Record]:
    """SAML and OIDC providers; the SAML metadata document itself is not kept."""
    found = []
    for item in caller.ask_pages(LIST_SAML, Fact.PROVIDERS).items:
        found.append(Record(Kind.SAML_PROVIDER, plain(item)))
    for item in caller.ask_pages(LIST_OIDC, Fact.PROVIDERS).items:
        arn = item["Arn"]
        answer = caller.ask(GET_OIDC, Fact.PROVIDERS, arn, OpenIDConnectProviderArn=arn)
        found.append(Record(Kind.OIDC_PROVIDER, {**plain(answer or {}), "Arn": arn}))
    return found


def read_credentials(caller: Caller) -> list[Record]:
    """The rows of the credential report, as they are in its CSV."""
    try:
        answer = caller.call(GET_CREDENTIAL_REPORT)
    except RefusedError as error:
        caller.note(error.failure, Fact.CREDENTIALS, GET_CREDENTIAL_REPORT)
        return []
    table = csv.DictReader(io.StringIO(answer["Content"].decode("utf-8", "replace")), strict=True)
    try:
        columns, rows = frozenset(table.fieldnames or ()), list(table)
    except csv.Error:
        columns, rows = frozenset(), []
    # A row with too few or too many cells is filled up with None, or under None.
    if not columns >= COLUMNS or any(None in row or None in row.values() for row in rows):
        caller.note(NO_TABLE, Fact.CREDENTIALS, GET_CREDENTIAL_REPORT)
        return []
    return [Record(Kind.CREDENTIAL_ROW, dict(row)) for row in rows]
