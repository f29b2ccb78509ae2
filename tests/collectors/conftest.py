"""Collections against the servers of ``tests.aws``, without the pauses between attempts."""

from __future__ import annotations

import pytest

from auditor.collectors import caller
from tests.aws.fixtures import local_credentials, moto_url, proxy, shared_proxy

__all__ = ["local_credentials", "moto_url", "proxy", "shared_proxy"]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller, "PAUSES", (0.0, 0.0))
