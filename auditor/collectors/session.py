"""boto3 sessions and clients: one session per profile, one client per service and Region, shared by all accounts.

The only place that configures retries, timeouts and endpoint behaviour.
"""

from __future__ import annotations

import threading
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auditor.collectors.credential_sources import made_to_end
from auditor.collectors.failures import GivenUpError, StoppedError, UnsupportedCallError, classify, classify_answer
from auditor.collectors.identity import Identity, context_credentials, profile_identity
from auditor.collectors.operations import ALL
from auditor.collectors.parsing import faithful_parsers
from auditor.collectors.patience import FLEETING, Patience
from auditor.collectors.request import CollectRequest
from auditor.errors import UnknownProfileError, UsageError

if TYPE_CHECKING:
    from auditor.collectors.meter import Meter
    from auditor.collectors.pacing import Pacer

AWS_DOMAINS = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".api.aws",
    ".aws.dev",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
)
WAITING_THREADS = 100
"""Room in each connection pool for the threads that walk accounts and Regions, beside the workers."""
DEFAULT_REGION = "us-east-1"
_S3 = {"us_east_1_regional_endpoint": "regional"}
"""The buckets of one Region are listed by its own endpoint, which in us-east-1 older SDKs do not use by themselves."""
_S3_AT_AN_ENDPOINT = {**_S3, "addressing_style": "path"}
"""Local endpoints have no host name for each bucket."""
EVERYWHERE = frozenset(str(operation) for operation in ALL if operation.everywhere)


class AwsSession:
    """Everything that belongs to one profile: its identity, its home Region, its clients."""

    def __init__(
        self,
        request: CollectRequest,
        profile: str | None,
        *,
        meter: Meter,
        pacer: Pacer,
        patience: Patience,
        stop: threading.Event,
    ) -> None:
        self.request = request
        self.profile = profile
        self.patience = patience
        self._meter = meter
        self._pacer = pacer
        self._stop = stop
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        own = _boto_session(profile)
        self.identity: Identity = profile_identity(own, profile)
        self._session = _switching_session(profile)
        self.home_region: str = own.region_name or self._first_asked() or DEFAULT_REGION

    def _first_asked(self) -> str | None:
        """For a profile without a Region: the first that the request asks for, in whatever partition."""
        for pattern in self.request.regions:
            for partition in self._session.get_available_partitions():
                found = [region for region in self.kms_regions(partition) if fnmatchcase(region, pattern)]
                if found:
                    return found[0]
        return None

    def kms_regions(self, partition: str) -> tuple[str, ...]:
        """The Regions of a partition where the installed SDK knows KMS."""
        return tuple(sorted(self._session.get_available_regions("kms", partition_name=partition)))

    def partition_of(self, region: str) -> str:
        """The partition of a Region, by the SDK's data; an unknown Region is taken for the ``aws`` partition."""
        from botocore.exceptions import BotoCoreError

        try:
            return str(self._session.get_partition_for_region(region))
        except BotoCoreError:
            return "aws"

    def client(self, service: str, region: str) -> Any:
        """The client of a service in a Region, made once. boto3 sessions are not thread-safe, hence the lock."""
        key = (service, region)
        found = self._clients.get(key)
        if found is not None:
            return found
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(service, region)
            return self._clients[key]

    def _make(self, service: str, region: str) -> Any:
        from botocore.config import Config

        request = self.request
        config = Config(
            retries={"mode": "standard", "total_max_attempts": request.max_attempts},
            connect_timeout=request.connect_timeout,
            read_timeout=request.read_timeout,
            max_pool_connections=request.max_workers + WAITING_THREADS,
            user_agent_extra="kms-audit",
            s3=_S3_AT_AN_ENDPOINT if request.endpoint_url else _S3,
        )
        client = self._session.client(service, region_name=region, endpoint_url=request.endpoint_url, config=config)
        self._watch(client)
        return client

    def _watch(self, client: Any) -> None:
        foreign = not (urlsplit(client.meta.endpoint_url).hostname or "").endswith(AWS_DOMAINS)

        def before_retry(response: Any = None, operation: Any = None, caught_exception: Any = None, **_: Any) -> None:
            if self._stop.is_set():
                raise StoppedError
            if self._meter.answered(response):
                self._pacer.throttled()
            if foreign and response is not None and _is_web_page(response[0]) and not passing(response[0], operation):
                raise UnsupportedCallError("The endpoint does not offer this operation.")
            self._judge(response, caught_exception)

        def passing(answer: Any, operation: Any) -> bool:
            """Whether an error page may be of the moment, and says nothing about the operation."""
            name = f"{client.meta.service_model.service_name}:{getattr(operation, 'name', '')}"
            return answer.status_code == 500 and name in EVERYWHERE

        client.meta.events.register_first("needs-retry", before_retry)

    def _judge(self, response: Any, error: Exception | None) -> None:
        """Tells the patience of the run how an attempt ended. Raises GivenUpError when no other is worth its time."""
        place = self._pacer.place
        if place is None:
            return
        failure = classify(error) if error else classify_answer(response[1]) if response else None
        if failure is None or failure.cause not in FLEETING:
            self.patience.passed(place)
        elif self.patience.failed(place, failure):
            raise GivenUpError(failure)

    def close(self) -> None:
        """Closes every connection."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


def _boto_session(profile: str | None) -> Any:
    import boto3
    from botocore.exceptions import BotoCoreError, ProfileNotFound

    try:
        inner = _core_session(profile)
        made_to_end(inner)
        return boto3.Session(botocore_session=inner)
    except ProfileNotFound as error:
        known = ", ".join(sorted(boto3.Session().available_profiles)[:10]) if profile else ""
        raise UnknownProfileError(
            str(error) + ".", f"Known profiles: {known}." if known else "Configure one with: aws configure sso."
        ) from error
    except BotoCoreError as error:
        raise UsageError(f"The AWS configuration could not be read: {error}") from error


def _core_session(profile: str | None) -> Any:
    """A botocore session that shares the parsed service models with the others: parsing them costs half a second."""
    from botocore.session import Session

    inner = Session(profile=profile)
    inner.register_component("data_loader", _models(inner.get_config_variable("data_path")))
    return inner


@cache
def _models(data_path: str | None) -> Any:
    from botocore.loaders import create_loader

    return create_loader(data_path)


def _switching_session(profile: str | None) -> Any:
    """A session of the same profile (endpoints, proxies, CA bundle) that signs as the current identity."""
    import boto3
    from botocore.credentials import CredentialProvider, CredentialResolver
    from botocore.handlers import json_decode_policies

    credentials = context_credentials()
    handler: Any = json_decode_policies

    class ContextProvider(CredentialProvider):  # type: ignore[misc, unused-ignore]
        """The only provider of this session."""

        METHOD = "kms-audit-context"

        def load(self) -> Any:
            return credentials

    inner = _core_session(profile)
    # Tokens of the global STS endpoint, the default of older SDKs, are not valid in opt-in Regions.
    inner.set_config_variable("sts_regional_endpoints", "regional")
    inner.register_component("response_parser_factory", faithful_parsers())
    inner.register_component("credential_provider", CredentialResolver(providers=[ContextProvider()]))
    # IAM documents are kept verbatim, as evidence; the store decodes them.
    inner.unregister("after-call.iam", handler)
    return boto3.Session(botocore_session=inner)


def _is_web_page(answer: Any) -> bool:
    """An HTML error page: how local endpoints say that an operation is not built; AWS's APIs never send one."""
    kind = str(answer.headers.get("Content-Type", ""))
    return answer.status_code in (404, 500, 501) and kind.startswith("text/html")
