"""What the fictional company would write into its configuration: whom it trusts and who administers."""

from __future__ import annotations

from auditor.demo.others import FORMER_PARTNER, PAYMENT_PARTNER
from auditor.demo.parts import FRANKFURT, IRELAND, Accounts
from auditor.model.settings import SSO_ADMINISTRATORS, RuleSettings, TrustedAccount

ADMINISTRATORS = ("arn:aws:iam::*:role/KeyAdministrator", "arn:aws:iam::*:role/KeyDeputy")


def register(a: Accounts) -> RuleSettings:
    """The settings of the rules for this organization."""
    return RuleSettings(
        key_admins=ADMINISTRATORS,
        key_destroyers=ADMINISTRATORS,
        account_admins=(SSO_ADMINISTRATORS,),
        log_admins=tuple(pattern.replace("*", a.log_archive) for pattern in ADMINISTRATORS),
        trusted_accounts=(
            TrustedAccount(
                account=PAYMENT_PARTNER,
                expires="2031-12-31",
                owner="payments@securecart.example",
                purpose="settles card payments",
            ),
            TrustedAccount(
                account=FORMER_PARTNER,
                expires="2031-12-31",
                owner="payments@securecart.example",
                purpose="issued gift cards",
                terminated=True,
            ),
        ),
        approved_regions=(FRANKFURT, IRELAND),
        reviews=True,
        destroy_exempt_accounts=(a.development,),
    )
