"""How AWS words a refusal, in all its spellings, and what the SDK's parsers fail with."""

from __future__ import annotations

import errno

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from auditor.collectors.failures import Cause, classify, classify_answer


@pytest.mark.parametrize(
    ("code", "status", "cause"),
    [
        ("AccessDenied", 403, Cause.DENIED),
        ("AccessDeniedException", 400, Cause.DENIED),
        ("UnauthorizedOperation", 403, Cause.DENIED),
        ("AuthorizationError", 403, Cause.DENIED),
        ("NotAuthorized", 400, Cause.DENIED),
        ("403", 403, Cause.DENIED),
        ("ToldInNewWords", 403, Cause.DENIED),
        ("ThrottledException", 400, Cause.THROTTLED),
        ("EC2ThrottledException", 503, Cause.THROTTLED),
        ("RequestLimitExceeded", 503, Cause.THROTTLED),
        ("ToldInNewWords", 429, Cause.THROTTLED),
        ("ExpiredToken", 403, Cause.EXPIRED),
        ("OptInRequired", 403, Cause.CREDENTIALS),
        ("RequestTimeTooSkewed", 403, Cause.CREDENTIALS),
        ("ToldInNewWords", 400, Cause.OTHER),
        ("LimitExceededException", 400, Cause.THROTTLED),
        ("InvalidMarkerException", 400, Cause.MALFORMED),
        ("InternalFailure", 500, Cause.SERVER),
        ("InternalFailure", 501, Cause.NOT_SUPPORTED),
        ("ParentNotFoundException", 400, Cause.NOT_FOUND),
        ("RegionDisabledException", 403, Cause.NOT_ENABLED),
        ("301", 301, Cause.MALFORMED),
        ("307", 307, Cause.MALFORMED),
    ],
)
def test_codes_before_status(code: str, status: int, cause: Cause) -> None:
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert classify(ClientError(answer, "ListKeys")).cause is cause
    found = classify_answer(answer)
    assert found is not None
    assert found.cause is cause


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), AttributeError("x"), RecursionError("x")])
def test_what_a_parser_fails_with_is_a_broken_answer(error: Exception) -> None:
    assert classify(error).cause is Cause.MALFORMED


def test_a_broken_answer_is_not_quoted() -> None:
    assert "hidden" not in classify(ResponseParserError("invalid XML received: hidden")).message


@pytest.mark.parametrize("answer", [None, [], "text", {"Error": None}, {"Error": {"Code": None}}])
def test_any_answer_can_be_looked_at(answer: object) -> None:
    found = classify_answer(answer)
    assert found is None or found.cause is Cause.OTHER


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EMFILE, "ulimit -n"), (errno.ECONNREFUSED, "could not be reached")]
)
def test_a_limit_of_this_machine_is_no_matter_of_the_network(number: int, words: str) -> None:
    try:
        try:
            raise OSError(number, "no")
        except OSError as inner:
            raise EndpointConnectionError(endpoint_url="https://kms", error=inner)  # noqa: B904 - as botocore does
    except EndpointConnectionError as error:
        assert words in classify(error).message
