"""Who asks: credentials of a profile, or of a role assumed with them, switched per call by a context variable.

One client per Region can thus serve every account: creating clients, and above all their TLS contexts, costs far more
than a call. Nothing here prints, logs or stores a credential.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from auditor.collectors.failures import Cause, ClockError, Failure, GivenUpError, StoppedError, classify
from auditor.collectors.patience import FLEETING
from auditor.errors import CredentialsError

_CURRENT: ContextVar[Identity] = ContextVar("kms_audit_identity")
ENDED_SECONDS = 30.0
"""How long credentials that have ended are believed to stay so: what renews them is not asked for every call."""
REFUSALS = 10
"""So many refused calls without a good one are no mishap."""


class Identity:
    """Credentials under a name. ``credentials`` is a botocore Credentials object, maybe one that refreshes itself."""

    def __init__(self, credentials: Any, label: str) -> None:
        self.credentials = credentials
        self.label = label
        self._renewing = threading.Lock()
        self._held = False
        self._refusals = 0
        self._ended: GivenUpError | None = None
        self._again = 0.0

    @contextmanager
    def active(self) -> Iterator[None]:
        """Signs the calls of this thread, inside the block, as this identity."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def frozen_key(self) -> str:
        """The access key id in use: tells whether somebody else has renewed it meanwhile."""
        return str(self.frozen().access_key)

    def frozen(self) -> Any:
        """The credentials in use, fetched if need be. Raises what the first fetching raises, or ClockError; where later
        ones are refused, GivenUpError."""
        if self._ended is not None and time.monotonic() < self._again:
            raise self._ended
        try:
            found = self.credentials.get_frozen_credentials()
        except (StoppedError, MemoryError):
            raise
        except RuntimeError as error:  # how botocore says that fresh credentials are past their end
            raise ClockError from error
        except Exception as error:
            failure = classify(error)
            if not self._held or failure.cause in FLEETING:
                raise
            raise self._end(failure) from error
        self._held, self._ended = True, None
        return found

    def worked(self) -> None:
        """A call was not refused for its credentials."""
        self._refusals = 0

    def refused(self, failure: Failure) -> None:
        """A call was, and they cannot be renewed: when that is no mishap, nothing more is signed."""
        self._refusals += 1
        if self._refusals >= REFUSALS:
            self._end(failure)

    def _end(self, failure: Failure) -> GivenUpError:
        message = f"The credentials have ended and could not be renewed. {failure.message}".strip()
        self._again = time.monotonic() + ENDED_SECONDS
        self._ended = GivenUpError(Failure(Cause.EXPIRED, failure.code, message, failure.status, ended=True))
        return self._ended

    def renew(self, used: str) -> bool:
        """Gets new credentials in place of those with access key id ``used``; False when they cannot be renewed."""
        if not hasattr(self.credentials, "refresh_needed"):
            return False
        with self._renewing:
            if self.frozen_key() == used:
                # The token was refused before its stated end: forget that end, so that the next use fetches another.
                self.credentials._expiry_time = _long_ago()
            return self.frozen_key() != used


def _long_ago() -> Any:
    from datetime import UTC, datetime

    return datetime(2000, 1, 1, tzinfo=UTC)


def context_credentials() -> Any:
    """A botocore Credentials object that always signs as the identity of the calling thread."""
    from botocore.credentials import Credentials

    class ContextCredentials(Credentials):  # type: ignore[misc, unused-ignore]
        """Reads the context variable each time a request is signed."""

        def get_frozen_credentials(self) -> Any:
            return _CURRENT.get().frozen()

    return ContextCredentials("context", "context", None, method="kms-audit-context")


def assumed(fetch: Callable[[], Mapping[str, Any]], label: str) -> Identity:
    """An identity whose credentials come from ``fetch``, an AssumeRole call, and are fetched again before they end."""
    from botocore.credentials import DeferredRefreshableCredentials

    def refresh() -> dict[str, Any]:
        answer = fetch().get("Credentials", {})
        expiry = answer.get("Expiration")
        return {
            "access_key": answer.get("AccessKeyId"),
            "secret_key": answer.get("SecretAccessKey"),
            "token": answer.get("SessionToken"),
            "expiry_time": expiry.isoformat() if hasattr(expiry, "isoformat") else expiry,
        }

    return Identity(DeferredRefreshableCredentials(refresh_using=refresh, method="assume-role"), label)


def profile_identity(session: Any, profile: str | None) -> Identity:
    """The identity of a boto3 session's own credentials (profile, SSO, process, container, environment …)."""
    from botocore.exceptions import BotoCoreError

    try:
        credentials = session.get_credentials()
    except (BotoCoreError, ValueError, OSError) as error:  # what a credential process prints need not be JSON
        raise CredentialsError(
            f"The credentials {_whose(profile)} could not be loaded: {error}",
            "Check the profile; `aws sts get-caller-identity` meets the same trouble.",
        ) from error
    if credentials is None:
        raise CredentialsError(
            f"No AWS credentials were found {_whose(profile)}.",
            "Name a profile with --profile, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return Identity(credentials, profile or "default")


def _whose(profile: str | None) -> str:
    return f"for profile “{profile}”" if profile else "in the default credential chain"
