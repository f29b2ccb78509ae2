"""Fixtures: one moto server for the session, emptied for each test, and a proxy in front of it."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from auditor.collectors import CollectRequest, NoProgress, collect
from auditor.model.snapshot import Snapshot
from tests.aws import quick_botocore
from tests.aws.proxy import Proxy
from tests.aws.sink import MemorySink


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    from tests.aws.quick_moto import quicken

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    quicken()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def proxy(moto_url: str) -> Iterator[Proxy]:
    with emptied(moto_url) as running:
        yield running


@pytest.fixture(scope="module")
def shared_proxy(moto_url: str) -> Iterator[Proxy]:
    """One proxy for a module whose tests change nothing in moto, and so can share what the first one put there."""
    with emptied(moto_url) as running:
        yield running


@contextmanager
def credentials() -> Iterator[None]:
    """Credentials for a local endpoint in the environment."""
    quick_botocore.quicken()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_REGION"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="module")
def local_credentials() -> Iterator[None]:
    with credentials():
        yield


@contextmanager
def emptied(moto_url: str) -> Iterator[Proxy]:
    """A proxy in front of an empty moto, with credentials for it in the environment."""
    with credentials():
        for command in ("reset", "seed?a=7"):
            request = urllib.request.Request(f"{moto_url}/moto-api/{command}", method="POST")
            urllib.request.urlopen(request, timeout=10).close()
        with Proxy(moto_url) as running:
            yield running


def collected(proxy: Proxy, **options: object) -> Snapshot:
    """What a collection through the proxy finds, decoded."""
    settings = {
        "endpoint_url": proxy.url,
        "regions": ("eu-central-1",),
        "max_attempts": 3,
        "quota_share": 1.0,
        **options,
    }
    sink = MemorySink()
    return sink.snapshot(collect(CollectRequest(**settings), sink, NoProgress()))
