"""The cycle collector pauses where facts are made, and is as it was afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from auditor.heap import collect_seldom, collector_at_rest


@pytest.fixture(autouse=True)
def collector_as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.enable()
    gc.unfreeze()


def test_a_pause_within_a_pause_ends_with_the_outer_one() -> None:
    with collector_at_rest():
        with collector_at_rest():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_pause_ends_with_an_error() -> None:
    with pytest.raises(ValueError, match="no"), collector_at_rest():
        raise ValueError("no")
    assert gc.isenabled()


def test_whoever_has_switched_it_off_keeps_it_off() -> None:
    gc.disable()
    with collector_at_rest():
        pass
    assert not gc.isenabled()


def test_in_somebody_elses_process_garbage_made_in_a_pause_is_found_later() -> None:
    with collector_at_rest():
        pass
    assert gc.get_freeze_count() == 0


def test_a_command_does_not_look_again_at_what_was_made_in_a_pause() -> None:
    collect_seldom()
    with collector_at_rest():
        pass
    assert gc.get_freeze_count() > 0
