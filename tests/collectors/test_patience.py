"""What a burst is, and what an outage: by a clock of the test's own."""

from __future__ import annotations

import pytest

from auditor.collectors.failures import Cause, Failure
from auditor.collectors.patience import FEWEST_FAILURES, PATIENCE_SECONDS, PROBE_SECONDS, Patience

THROTTLED = Failure(Cause.THROTTLED, "ThrottlingException", "Rate exceeded")
SILENT = Failure(Cause.TIMEOUT, "", "No answer in time.")
HERE = ("111111111111", "eu-west-1", "kms:ListGrants")
NEIGHBOUR = ("222222222222", "eu-west-1", "kms:ListGrants")
OTHER_CALL = ("111111111111", "eu-west-1", "kms:DescribeKey")
ELSEWHERE = ("111111111111", "us-east-1", "sts:AssumeRole")


class Estate:
    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.patience = Patience(self.said.append, lambda: self.now)

    def fail(self, place: tuple[str, str, str], failure: Failure, *, seconds: float = PATIENCE_SECONDS) -> bool:
        """Fails every second for a while; whether the last one was given up."""
        given_up = False
        for _ in range(int(seconds) + 1):
            given_up = self.patience.failed(place, failure)
            self.now += 1
        return given_up


def test_a_burst_is_waited_for_and_an_outage_is_not() -> None:
    estate = Estate()
    assert not estate.fail(HERE, THROTTLED, seconds=PATIENCE_SECONDS - 1)
    assert estate.patience.failed(HERE, THROTTLED)
    assert len(estate.said) == 1
    assert "Throttled" in estate.said[0]


def test_one_success_restores_the_patience() -> None:
    estate = Estate()
    assert estate.fail(HERE, THROTTLED)
    estate.patience.passed(HERE)
    assert not estate.fail(HERE, THROTTLED, seconds=PATIENCE_SECONDS / 2)


@pytest.mark.parametrize("place", [NEIGHBOUR, OTHER_CALL])
def test_what_fails_for_all_fails_at_once_for_the_next_one(place: tuple[str, str, str]) -> None:
    estate = Estate()
    assert estate.fail(HERE, THROTTLED)
    assert estate.patience.failed(place, THROTTLED)


def test_one_account_that_is_throttled_takes_no_patience_from_its_neighbours() -> None:
    estate = Estate()
    for _ in range(100):
        estate.patience.failed(HERE, THROTTLED)
        estate.patience.passed(NEIGHBOUR)
        estate.now += 1
    assert estate.patience.failed(HERE, THROTTLED)
    assert not estate.patience.failed(NEIGHBOUR, THROTTLED)
    assert estate.patience.hopeless(HERE) is None


def test_a_silent_endpoint_is_asked_now_and_then_and_an_answer_opens_it() -> None:
    estate = Estate()
    estate.fail(HERE, SILENT)
    assert estate.patience.hopeless(NEIGHBOUR) == SILENT
    estate.now += PROBE_SECONDS
    assert estate.patience.hopeless(NEIGHBOUR) is None
    assert estate.patience.hopeless(NEIGHBOUR) == SILENT
    estate.patience.passed(NEIGHBOUR)
    assert estate.patience.hopeless(OTHER_CALL) is None
    assert not estate.patience.failed(OTHER_CALL, SILENT)


def test_a_dead_network_is_told_once_and_one_service_that_answers_proves_it_alive() -> None:
    estate = Estate()
    for _ in range(int(PATIENCE_SECONDS) + 1):
        for place in (HERE, ELSEWHERE):
            estate.patience.failed(place, SILENT)
        estate.now += 1
    assert estate.said == ["the network: Timeout for 60 s without a success; no longer waited for"]
    assert estate.patience.hopeless(("3", "sa-east-1", "ram:ListResources")) == SILENT
    estate.patience.passed(ELSEWHERE)
    assert estate.patience.hopeless(("3", "sa-east-1", "ram:ListResources")) is None
    assert estate.patience.hopeless(HERE) == SILENT


def test_an_outage_that_is_found_to_be_wider_is_told_again_and_a_narrower_one_is_not() -> None:
    estate = Estate()
    estate.patience.failed(HERE, SILENT)
    estate.now += 1
    estate.patience.passed(ELSEWHERE)
    estate.fail(HERE, SILENT)
    assert [line.split(":")[0] for line in estate.said] == ["kms in eu-west-1", "the network"]
    estate.patience.passed(ELSEWHERE)
    estate.fail(NEIGHBOUR, SILENT)
    assert len(estate.said) == 2


def test_one_slow_failure_is_no_outage_and_old_ones_do_not_count() -> None:
    estate = Estate()
    for _ in range(FEWEST_FAILURES + 2):
        assert not estate.patience.failed(HERE, SILENT)
        estate.now += PATIENCE_SECONDS + 1
    assert not estate.said


def test_silence_is_waited_for_only_where_something_has_answered() -> None:
    estate = Estate()
    assert estate.patience.worth_another(THROTTLED)
    assert not estate.patience.worth_another(SILENT)
    estate.patience.passed(ELSEWHERE)
    assert estate.patience.worth_another(SILENT)
    assert not estate.patience.worth_another(Failure(Cause.DENIED, "AccessDenied", "No."))
