"""Keys of the payments account: card data, signatures, and partners."""

from __future__ import annotations

from auditor.demo.others import FORMER_PARTNER, PAYMENT_PARTNER, STRANGER
from auditor.demo.parts import FRANKFURT, IRELAND, Accounts, DemoKey, Document
from auditor.demo.wording import GUARD, USE, administrators, allow, delegate, document, guardians, role, root, users

CARDS = (("owner", "card-platform"), ("data-class", "restricted"))
SETTLEMENT = (("owner", "settlement"), ("data-class", "confidential"))
ENCLAVE = "kms:RecipientAttestation:ImageSha384"


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """All keys of the account."""
    return (*_cards(a), *_settlement(a), *_retired(a))


def _cards(a: Accounts) -> tuple[DemoKey, ...]:
    owner = a.payments
    return (
        DemoKey(
            name="card-vault",
            created="2020-02-11",
            account="payments",
            region=FRANKFURT,
            description="Card numbers; to be read inside the enclave only",
            tags=CARDS,
            policy=_card_vault(owner),
        ),
        DemoKey(
            name="card-signing",
            created="2021-03-01",
            account="payments",
            region=FRANKFURT,
            description="Signs settlement files",
            tags=CARDS,
            spec="RSA_3072",
            usage="SIGN_VERIFY",
            policy=_card_signing(owner),
        ),
        DemoKey(
            name="card-token-mac",
            account="payments",
            region=FRANKFURT,
            description="Authenticates card tokens",
            tags=CARDS,
            spec="HMAC_256",
            usage="GENERATE_VERIFY_MAC",
            policy=document(
                guardians(owner),
                allow("Tokens", [role(owner, "card-application")], ["kms:GenerateMac", "kms:VerifyMac"]),
            ),
        ),
        DemoKey(
            name="processor-import",
            account="payments",
            region=FRANKFURT,
            description="Key material supplied by the card processor",
            tags=CARDS,
            origin="EXTERNAL",
            expires_in_days=21,
            policy=_processor_import(owner),
        ),
        DemoKey(
            name="card-ledger",
            account="payments",
            region=FRANKFURT,
            description="Ledger, readable in both Regions",
            tags=CARDS,
            policy=_card_ledger(owner, "card-application"),
            replicas={IRELAND: _card_ledger(owner, "card-application", "ledger-reports")},
        ),
    )


def _card_signing(owner: str) -> Document:
    return document(
        administrators(owner),
        allow(
            "CardApplicationSigns",
            [role(owner, "card-application")],
            ["kms:Sign", "kms:Verify", "kms:GetPublicKey", "kms:DescribeKey"],
        ),
        # Decrypt on a signing key: nothing can be decrypted with it.
        allow("LeftFromTemplate", [role(owner, "card-batch")], ["kms:Decrypt", "kms:GenerateDataKey"]),
    )


def _processor_import(owner: str) -> Document:
    return document(
        guardians(owner),
        allow(
            "ImportAndUse",
            [role(owner, "card-batch")],
            ["kms:ImportKeyMaterial", "kms:DeleteImportedKeyMaterial", "kms:GetParametersForImport", *USE],
        ),
    )


def _card_ledger(owner: str, *names: str) -> Document:
    return document(delegate(owner), administrators(owner), users(*(role(owner, name) for name in names)))


def _card_vault(owner: str) -> Document:
    return document(
        allow("KeyAdministratorsKeepPolicy", [role(owner, "KeyAdministrator")], GUARD),
        allow("AccountMayLook", root(owner), ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"]),
        allow(
            "EnclaveReads",
            [role(owner, "card-application")],
            ["kms:Decrypt", "kms:GenerateDataKey"],
            {"StringEqualsIgnoreCase": {ENCLAVE: "ab" * 48}},
        ),
        # The batch job reads the same data with no enclave at all.
        allow("NightlyBatch", [role(owner, "card-batch")], ["kms:Decrypt", "kms:DescribeKey"]),
    )


def _settlement(a: Accounts) -> tuple[DemoKey, ...]:
    owner = a.payments
    return (
        DemoKey(
            name="settlement",
            account="payments",
            region=FRANKFURT,
            description="Files exchanged with the settlement partner",
            tags=SETTLEMENT,
            policy=document(
                delegate(owner),
                administrators(owner),
                allow("Partner", root(PAYMENT_PARTNER), [*USE, "kms:CreateGrant", "kms:ListGrants"]),
            ),
        ),
        DemoKey(
            name="gift-cards",
            created="2021-09-01",
            account="payments",
            region=FRANKFURT,
            description="Gift cards of a partner that has left",
            tags=SETTLEMENT,
            rotation=False,
            policy=document(
                delegate(owner),
                administrators(owner),
                allow("GiftCardPartner", [role(FORMER_PARTNER, "gift-card-service")], ["kms:Decrypt", "kms:Encrypt"]),
            ),
        ),
        DemoKey(
            name="chargebacks",
            account="payments",
            region=IRELAND,
            description="Disputed payments; the resource control policy is all that keeps a stranger out",
            tags=SETTLEMENT,
            policy=document(
                delegate(owner),
                administrators(owner),
                allow("Investigation2023", [role(STRANGER, "fraud-check")], ["kms:Decrypt", "kms:DescribeKey"]),
            ),
        ),
    )


def _retired(a: Accounts) -> tuple[DemoKey, ...]:
    owner = a.payments
    return (
        DemoKey(
            name="card-vault-2019",
            created="2019-01-15",
            account="payments",
            region=FRANKFURT,
            description="Former card vault, still behind a database snapshot",
            tags=CARDS,
            policy=document(delegate(owner), administrators(owner)),
            state="PendingDeletion",
            deletion_days=7,
        ),
        DemoKey(
            name="card-vault-2018",
            created="2018-01-10",
            account="payments",
            region=FRANKFURT,
            description="Former card vault, empty",
            tags=CARDS,
            policy=document(delegate(owner), administrators(owner)),
            state="PendingDeletion",
        ),
        DemoKey(
            name="settlement-archive",
            created="2020-11-30",
            account="payments",
            region=IRELAND,
            description="Archive volumes",
            tags=SETTLEMENT,
            policy=document(delegate(owner), administrators(owner)),
            state="Disabled",
        ),
    )
