"""Turns whatever an AWS call can fail with into a Failure; ``gaps`` says what that means for the audit.

Spellings of "no permission" differ between services and endpoints (AccessDenied, AccessDeniedException, code "403",
HTTP 403); they are one thing here. Messages lose what differs from run to run, so that equal facts stay equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from errno import EMFILE, ENFILE


class Cause(StrEnum):
    """Why a call failed; also the ``code`` of a Gap where AWS's own spelling would not add anything."""

    DENIED = "AccessDenied"
    THROTTLED = "Throttled"
    NOT_SUPPORTED = "NotSupported"
    EXPIRED = "ExpiredToken"
    CREDENTIALS = "InvalidCredentials"
    TIMEOUT = "Timeout"
    UNREACHABLE = "Unreachable"
    NOT_FOUND = "NotFound"
    NOT_ENABLED = "RegionNotEnabled"
    OTHER_PARTITION = "OtherPartition"
    NO_REPORT = "NoCredentialReport"
    SERVER = "ServerError"
    MALFORMED = "IncompleteAnswer"
    LIMIT = "LimitReached"
    OTHER = "Failed"


_CODES = {
    Cause.DENIED: "AccessDenied AccessDeniedException 403 UnauthorizedOperation UnauthorizedException"
    " AuthorizationError AuthorizationErrorException Forbidden ForbiddenException NotAuthorized",
    Cause.THROTTLED: "Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException"
    " TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded SlowDown"
    " ProvisionedThroughputExceededException PriorRequestNotComplete TransactionInProgressException"
    " EC2ThrottledException LimitExceededException 429",
    Cause.EXPIRED: "ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired",
    Cause.CREDENTIALS: "InvalidClientTokenId UnrecognizedClientException AuthFailure InvalidAccessKeyId"
    " SignatureDoesNotMatch InvalidSignatureException MissingAuthenticationToken IncompleteSignature"
    " MissingAuthenticationTokenException OptInRequired SubscriptionRequiredException"
    " RequestTimeTooSkewed",
    Cause.NOT_SUPPORTED: "NotImplemented UnknownOperationException UnknownOperation InvalidAction 404",
    Cause.NO_REPORT: "ReportNotPresent ReportExpired ReportInProgress",
    Cause.NOT_FOUND: "NotFoundException NoSuchEntity NoSuchEntityException ResourceNotFoundException"
    " TrailNotFoundException PolicyNotFoundException TargetNotFoundException ParentNotFoundException"
    " EventDataStoreNotFoundException CustomKeyStoreNotFoundException UnknownResourceException",
    Cause.NOT_ENABLED: "RegionDisabledException",
    Cause.MALFORMED: "InvalidMarkerException InvalidNextToken InvalidNextTokenException",
    Cause.TIMEOUT: "RequestTimeout RequestTimeoutException 504",
    Cause.SERVER: "InternalError InternalFailure InternalServerError KMSInternalException ServiceException"
    " ServiceFailure ServiceFailureException ServiceUnavailable DependencyTimeoutException InternalServiceError"
    " InternalException ConcurrentModificationException 500 502 503",
}
NOT_BUILT = 501
"""The status that says more than its code: local endpoints call an operation that they lack an internal failure."""
REDIRECTIONS = range(300, 400)
"""No API that is called here sends anybody elsewhere: that is a portal, or a proxy, on the way."""
_BY_STATUS = {
    403: Cause.DENIED,
    404: Cause.NOT_FOUND,
    429: Cause.THROTTLED,
    500: Cause.SERVER,
    502: Cause.SERVER,
    503: Cause.SERVER,
    504: Cause.TIMEOUT,
}
"""For codes that nobody knows. Only a bare 404, without a code, says that the operation itself is missing."""
_BY_CODE = {code: cause for cause, codes in _CODES.items() for code in codes.split()}
_CHANGING = re.compile(
    r"Encoded authorization failure message: \S+|\(?request ?id:? ?[0-9a-f-]{8,}\)?",
    re.IGNORECASE,
)
_MESSAGE_LIMIT = 400
_NOT_UNDERSTOOD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What the SDK's parsers fail with where an answer is not what its model says."""
_GUARDRAILS = ("service control policy", "resource control policy", "permissions boundary", "session policy")


class StoppedError(Exception):
    """The run was told to end; never becomes a Gap."""


class UnsupportedCallError(Exception):
    """The endpoint or the installed SDK does not know an operation."""


class MalformedError(Exception):
    """An answer that lacks what every answer of its operation has, or that AWS itself calls unfinished."""


class EndlessError(MalformedError):
    """A list without an end: to begin it again would take as long."""


class ClockError(Exception):
    """Credentials that AWS has just made, and that are past their end by the clock of this machine."""

    def __init__(self) -> None:
        super().__init__("New credentials are past their end already: the clock of this machine is wrong, or AWS's is.")


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call. ``code`` is AWS's own error code, empty when the failure was on the way there. ``ended``: all
    calls with these credentials fail."""

    cause: Cause
    code: str
    message: str
    status: int = 0
    ended: bool = False

    @property
    def lasting(self) -> bool:
        """Whether every further call of the operation in the Region would fail the same way."""
        return self.cause is Cause.NOT_SUPPORTED

    @property
    def of_no_subject(self) -> bool:
        """Whether it says nothing about what the call was about, and one Gap stands for all subjects."""
        return self.lasting or self.ended

    @property
    def guardrail(self) -> str:
        """The kind of policy that AWS names as the reason, when it is none that the account itself can open."""
        return next((kind for kind in _GUARDRAILS if kind in self.message.lower()), "")


class RefusedError(Exception):
    """A call that failed for good, with its Failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class GivenUpError(RefusedError):
    """A call that is not tried again, because nothing like it has succeeded for long."""


def classify(error: Exception) -> Failure:
    """The Failure of any exception that a boto3 call can leave."""
    from botocore import exceptions as botocore_errors
    from botocore import parsers

    match error:
        case RefusedError():
            return error.failure
        case botocore_errors.ClientError():
            return _answered(error.response)
        case UnsupportedCallError() | botocore_errors.OperationNotPageableError():
            return Failure(Cause.NOT_SUPPORTED, "", _clean(str(error)) or "The operation is not known.")
        case botocore_errors.UnknownServiceError():
            return Failure(Cause.NOT_SUPPORTED, "", "The installed AWS SDK does not know this service.")
        case parsers.ResponseParserError():
            # Never in the words of the error: they hold the answer, which may be one with credentials.
            return Failure(Cause.MALFORMED, "", "The answer is not in the format of the service.")
        case MalformedError() | botocore_errors.PaginationError():
            return Failure(Cause.MALFORMED, "", _clean(str(error)))
        case botocore_errors.ParamValidationError():
            # One call was refused before it was sent; this says nothing about the operation.
            return Failure(Cause.OTHER, "ParamValidation", _clean(str(error)))
        case botocore_errors.ConnectTimeoutError() | botocore_errors.ReadTimeoutError():
            return Failure(Cause.TIMEOUT, "", "No answer in time.")
        case botocore_errors.NoCredentialsError() | botocore_errors.CredentialRetrievalError():
            return Failure(Cause.CREDENTIALS, "", _clean(str(error)))
        case botocore_errors.TokenRetrievalError() | botocore_errors.SSOError():
            return Failure(Cause.EXPIRED, "", _clean(str(error)))
        case ClockError():
            return Failure(Cause.CREDENTIALS, "", str(error))
        case EOFError():
            return Failure(Cause.CREDENTIALS, "", "An MFA code is needed, and there is no terminal to ask for it.")
        case botocore_errors.HTTPClientError() | botocore_errors.ConnectionError() | OSError():
            return _on_the_way(error)
    if isinstance(error, _NOT_UNDERSTOOD):
        return Failure(Cause.MALFORMED, "", f"The answer could not be read ({type(error).__name__}).")
    return Failure(Cause.OTHER, type(error).__name__, _clean(str(error)))


def _on_the_way(error: Exception) -> Failure:
    """A call without an answer. Never in the words of the error: they may hold a credential or a proxy's password."""
    from botocore.exceptions import ProxyConnectionError, SSLError

    if _errno(error) in (EMFILE, ENFILE):
        return Failure(
            Cause.UNREACHABLE,
            "",
            "This machine opens no more connections for the process: raise its limit of open files (ulimit -n), or use "
            "fewer workers (--max-workers).",
        )
    if isinstance(error, OSError) and error.filename:
        return Failure(Cause.CREDENTIALS, "", f"{error.filename}: {error.strerror}.")  # such as a token to be exchanged
    if "Invalid header value" in str(error):
        return Failure(Cause.CREDENTIALS, "", "They hold a character that cannot be sent, such as a line break.")
    if isinstance(error, SSLError) and any(map(_of_certificates, _causes(error))):
        words = "The file that AWS_CA_BUNDLE (or ca_bundle) names is missing, or holds no certificates."
        return Failure(Cause.UNREACHABLE, "", words)
    if isinstance(error, SSLError):
        return Failure(
            Cause.UNREACHABLE,
            "",
            "No TLS connection: its certificate is not trusted, or it speaks no TLS. Where a proxy inspects "
            "the traffic, set AWS_CA_BUNDLE to a file with the proxy's certificate.",
        )
    if isinstance(error, ProxyConnectionError):
        return Failure(Cause.UNREACHABLE, "", "The proxy that HTTPS_PROXY or HTTP_PROXY names could not be reached.")
    return Failure(Cause.UNREACHABLE, "", "The endpoint could not be reached, or the connection broke.")


def _errno(error: BaseException) -> int:
    """The number of the system's error below what the SDK made of it; 0 when there is none."""
    return next((one.errno for one in _causes(error) if isinstance(one, OSError) and one.errno), 0)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it was made of, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_certificates(error: BaseException) -> bool:
    """Whether the certificates to trust could not be loaded: no connection was tried yet."""
    missing = isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError)
    return missing or getattr(error, "reason", None) in ("NO_CERTIFICATE_OR_CRL_FOUND", "PEM_LIB")


def classify_answer(parsed: object) -> Failure | None:
    """The Failure that an answer of AWS is, or None when it is not one."""
    return _answered(parsed) if isinstance(parsed, Mapping) and "Error" in parsed else None


def _answered(response: Mapping[str, object]) -> Failure:
    details = response.get("Error")
    details = details if isinstance(details, dict) else {}
    meta = response.get("ResponseMetadata")
    status = meta.get("HTTPStatusCode", 0) if isinstance(meta, dict) else 0
    code = str(details.get("Code") or "")
    message = _clean(str(details.get("Message") or ""))
    if status == NOT_BUILT:
        return Failure(Cause.NOT_SUPPORTED, code, message, NOT_BUILT)
    cause = _BY_CODE.get(code) or _BY_CODE.get(code.removesuffix("Exception")) or _BY_STATUS.get(status)
    if cause is None and status in REDIRECTIONS:
        cause = Cause.MALFORMED
    return Failure(cause or Cause.OTHER, code, message, int(status) if isinstance(status, int) else 0)


def _clean(message: str) -> str:
    text = _CHANGING.sub("", " ".join(message.split())).strip()
    return text[:_MESSAGE_LIMIT]
