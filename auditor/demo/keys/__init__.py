"""The keys of the organization, one file per account, and what is wrong or right with each."""

from __future__ import annotations

from auditor.demo.keys import (
    analytics,
    aws_managed,
    development,
    log_archive,
    management,
    payments,
    secrets,
    shop,
    shop_examples,
)
from auditor.demo.parts import Accounts, DemoKey


def all_keys(a: Accounts) -> tuple[DemoKey, ...]:
    """Every key, in the order of creation."""
    makers = (
        management.keys,
        secrets.keys,
        log_archive.keys,
        payments.keys,
        shop.keys,
        shop_examples.keys,
        analytics.keys,
        development.keys,
        aws_managed.keys,
    )
    return tuple(key for make in makers for key in make(a))
