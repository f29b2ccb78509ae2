"""Keys of the shop account: good ones, and the ones that were opened too far."""

from __future__ import annotations

from auditor.demo.others import STRANGER
from auditor.demo.parts import FRANKFURT, IRELAND, VIRGINIA, Accounts, DemoKey
from auditor.demo.wording import USE, administrators, allow, delegate, document, role, root, users

CUSTOMERS = (("owner", "shop-platform"), ("data-class", "confidential"))
RESTRICTED = (("owner", "shop-platform"), ("data-class", "restricted"))
PUBLIC = (("owner", "marketing"), ("data-class", "public"))
SOURCE = "aws:SourceAccount"


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """All keys of the account but the textbook examples."""
    return (*_orders(a), *_open(a), *_services(a), *_conditions(a))


def _orders(a: Accounts) -> tuple[DemoKey, ...]:
    owner = a.shop
    return (
        DemoKey(
            name="orders",
            account="shop",
            region=FRANKFURT,
            description="Order database; IAM policies decide by the tag project",
            tags=(*CUSTOMERS, ("project", "orders")),
        ),
        DemoKey(
            name="invoices",
            account="shop",
            region=FRANKFURT,
            description="Invoice archive; the wholesale project's policies do not reach it today",
            tags=(*CUSTOMERS, ("project", "invoices")),
        ),
        DemoKey(
            name="checkout",
            account="shop",
            region=FRANKFURT,
            description="Shopping carts",
            tags=RESTRICTED,
            policy=document(
                delegate(owner),
                administrators(owner),
                allow("CheckoutTeam", [role(owner, "checkout-team")], "kms:*"),
                users(f"arn:aws:iam::{owner}:user/legacy-checkout", role(a.development, "feature-tester")),
            ),
        ),
        DemoKey(
            name="catalog",
            account="shop",
            region=FRANKFURT,
            description="Catalogue, also read in North America",
            tags=CUSTOMERS,
            policy=document(delegate(owner), administrators(owner)),
            replicas={VIRGINIA: None},
        ),
    )


def _open(a: Accounts) -> tuple[DemoKey, ...]:
    owner = a.shop
    return (
        DemoKey(
            name="newsletter",
            account="shop",
            region=IRELAND,
            description="Newsletter templates",
            tags=PUBLIC,
            policy=document(delegate(owner), allow("Everybody", "*", ["kms:Decrypt", "kms:DescribeKey"])),
        ),
        DemoKey(
            name="product-images",
            account="shop",
            region=FRANKFURT,
            description="Product images",
            tags=PUBLIC,
            policy=document(
                delegate(owner),
                allow(
                    "ThroughS3",
                    {"AWS": "*"},
                    ["kms:Decrypt", "kms:GenerateDataKey*"],
                    {"StringEquals": {"kms:ViaService": f"s3.{FRANKFURT}.amazonaws.com"}},
                ),
            ),
        ),
        DemoKey(
            name="supplier-portal",
            account="shop",
            region=FRANKFURT,
            description="Documents of suppliers",
            tags=CUSTOMERS,
            policy=document(
                delegate(owner), administrators(owner), allow("Supplier", [root(STRANGER)], [*USE, "kms:CreateGrant"])
            ),
        ),
        DemoKey(
            name="search-index",
            account="shop",
            region=IRELAND,
            description="Search index",
            tags=CUSTOMERS,
            policy=document(delegate(owner), administrators(owner), users("AROAEXAMPLEDELETED001")),
        ),
    )


def _services(a: Accounts) -> tuple[DemoKey, ...]:
    owner = a.shop
    queues = ["kms:Decrypt", "kms:GenerateDataKey"]
    return (
        DemoKey(
            name="order-events",
            account="shop",
            region=FRANKFURT,
            description="Queues of order events",
            tags=CUSTOMERS,
            policy=document(delegate(owner), allow("Notifications", {"Service": "sns.amazonaws.com"}, queues)),
        ),
        DemoKey(
            name="shipping-events",
            alias_moved_days_ago=12,
            account="shop",
            region=FRANKFURT,
            description="Queues of shipping events",
            tags=CUSTOMERS,
            policy=document(
                delegate(owner),
                allow("Notifications", {"Service": "sns.amazonaws.com"}, queues, {"StringEquals": {SOURCE: a.shop}}),
            ),
        ),
    )


def _conditions(a: Accounts) -> tuple[DemoKey, ...]:
    owner = a.shop
    vouchers = [role(owner, "voucher-service")]
    return (
        DemoKey(
            name="vouchers",
            account="shop",
            region=FRANKFURT,
            description="Voucher codes",
            tags=CUSTOMERS,
            policy=document(
                delegate(owner),
                # S3 of another Region never calls a key here.
                allow(
                    "FormerRegion",
                    vouchers,
                    ["kms:Decrypt"],
                    {"StringEquals": {"kms:ViaService": "s3.eu-west-2.amazonaws.com"}},
                ),
                allow(
                    "Christmas2022",
                    vouchers,
                    ["kms:GenerateDataKey"],
                    {"DateLessThan": {"aws:CurrentTime": "2023-01-07T00:00:00Z"}},
                ),
            ),
        ),
        DemoKey(
            name="loyalty",
            account="shop",
            region=IRELAND,
            description="Loyalty points",
            tags=CUSTOMERS,
            policy=document(
                delegate(owner),
                allow(
                    "LegacyName",
                    [role(owner, "loyalty-service")],
                    ["kms:Decrypt"],
                    {"StringEquals": {"kms:CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"}},
                ),
                allow(
                    "TagInKeyPolicy",
                    [role(owner, "loyalty-service")],
                    ["kms:Encrypt"],
                    {"StringEquals": {"aws:ResourceTag/owner": "shop-platform"}},
                ),
                allow(
                    "AliasOperations",
                    [role(owner, "loyalty-service")],
                    ["kms:UpdateAlias"],
                    {"StringLike": {"kms:RequestAlias": "alias/loyalty*"}},
                ),
            ),
        ),
    )
