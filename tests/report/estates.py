"""Reports for the tests: one ordinary, one whose every text is hostile. Built by hand and evaluated for real."""

from __future__ import annotations

import json
from dataclasses import replace

from auditor.evaluator import evaluate
from auditor.model.finding import Evidence, Finding, FindingState, Remediation, RuleStatus, Severity, SkippedScope
from auditor.model.grant import Grant
from auditor.model.key import Alias, Fact, Key
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.report import Report
from auditor.model.score import PrincipalPower
from auditor.model.snapshot import AccountFacts, Gap, Provenance, ShardCoverage, Snapshot

AS_OF = "2026-11-24T00:00:00Z"
ACCOUNT = "111111111111"
SCRIPT = "<script>window.hacked=1</script>"
HOSTILE = (
    SCRIPT,
    "</script><script>window.hacked=2</script>",
    '"><img src=x onerror="window.hacked=3">',
    '=HYPERLINK("http://evil.example","x")',
    "+cmd|' /C calc'!A0",
    "@SUM(1)",
    "-2+3",
    "\u202egnp.exe",
    "\u200b=1+1",
    "{{ 7*7 }}{% raw %}",
    "😀 [link](javascript:alert(1)) `x` | y",
    "]]>&lt;!--",
    "\ud800 lone",
    "nul\x00bell\x07",
    "\x9b31m\u00adsoft\u2028line\uffff\U000e0041tag",
)
BIG_SID = "S" * 100_000
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
ROLE = "a" * 50 + "+=,.@-_aaaaaaa"


def attached(layer: Layer, name: str, owner: str, *statements: dict[str, object]) -> AttachedPolicy:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return AttachedPolicy(layer, name, owner, parse_policy(json.dumps(document)))


FAMILY = "mrk-00000000000040008000000000000000"


def _key(number: int, text: str, sid: str) -> Key:
    """The first two are one multi-Region family."""
    key_id = FAMILY if number < 2 else f"{number:08x}-0000-4000-8000-000000000000"
    region = "eu-central-1" if number == 1 else "eu-west-1"
    arn = f"arn:aws:kms:{region}:{ACCOUNT}:key/{key_id}"
    statements = (
        {"Sid": "Delegate", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"},
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": "*",
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": text, "kms:CallerAccount": "222222222222"}},
        },
    )
    return Key(
        arn=arn,
        key_id=key_id,
        account=ACCOUNT,
        region=region,
        multi_region=number < 2,
        multi_region_key_type=("PRIMARY", "REPLICA")[number] if number < 2 else None,
        description=text,
        aliases=(Alias(f"alias/{text}", f"{arn}-alias"),),
        tags=((text, text),),
        policies=(attached(Layer.KEY_POLICY, "default", arn, *statements),),
        grants=(
            Grant(
                grant_id=f"grant{number}",
                key_arn=arn,
                name=text,
                grantee=f"arn:aws:iam::{ACCOUNT}:role/reader",
                operations=("Decrypt",),
                created="2026-01-01T00:00:00Z",
                context_equals=((text, text),),
            ),
        ),
    )


def _principal(name: str, text: str) -> Principal:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    allow = {"Sid": "Use", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*"}
    return Principal(
        kind=PrincipalKind.ROLE,
        arn=arn,
        iam_arn=arn,
        account=ACCOUNT,
        name=name,
        tags=((text, text),),
        identity_policies=(attached(Layer.IDENTITY, text, arn, allow),),
        trust_policy=attached(Layer.IDENTITY, text, arn, {**allow, "Sid": text}).policy,
    )


def _finding(number: int, text: str, key: Key, state: FindingState) -> Finding:
    return Finding(
        rule="indirect-key-access-path" if number == 3 else "external-account-access",
        code="EXP-01",
        title=text,
        category="exposure",
        severity=list(Severity)[number % 5],
        subject=key.arn,
        subject_kind="key",
        summary=f"{text} said the summary",
        fingerprint=f"{number:020x}",
        state=state,
        account=ACCOUNT,
        region=key.region,
        keys=(key.arn,),
        principals=(READER,),
        evidence=(Evidence(text, text), Evidence("path", f"{text} → sts:AssumeRole → {READER}")),
        remediation=Remediation(text, "policy", text),
        first_seen="2026-11-01",
        was="low" if number and number % 10 == 0 else "",
        extra=((text, text),),
    )


def report_of(texts: tuple[str, ...], sid: str = "Tenants", names: tuple[str, ...] = ("reader", "writer")) -> Report:
    """A report with one key, finding and gap for each text."""
    keys = tuple(_key(number, text, sid) for number, text in enumerate(texts))
    snapshot = Snapshot(
        provenance=Provenance(content_hash="ab" * 32, caller=f"arn:aws:iam::{ACCOUNT}:role/auditor"),
        accounts=(AccountFacts(id=ACCOUNT),),
        keys=keys,
        principals=tuple(_principal(name, texts[0]) for name in names),
        coverage=(
            ShardCoverage(ACCOUNT, "", texts[0], calls=3),
            ShardCoverage(ACCOUNT, "eu-west-1", "read", len(texts) - 1, len(texts) - 1, 9),
        ),
        gaps=tuple(
            Gap(fact=Fact.LAST_USAGE, account=ACCOUNT, subject=text, message=text, effect=text) for text in texts
        ),
    )
    evaluation = evaluate(snapshot, as_of=AS_OF)
    states = list(FindingState)
    findings = tuple(_finding(number, text, keys[number], states[number % 3]) for number, text in enumerate(texts))
    return Report(
        snapshot=snapshot,
        principals=evaluation.principals,
        access=evaluation.table,
        findings=findings,
        rules=(
            RuleStatus("rotation-disabled", False, texts[0]),
            RuleStatus(texts[0], True, skipped=(SkippedScope(texts[0], Fact.KEY_POLICY),)),
        ),
        powers=(PrincipalPower(READER, 0.42, 0.3),),
        as_of=AS_OF,
        tool_version="0.1",
        notes=(texts[0],),
    )


def ordinary() -> Report:
    """Four keys, two roles, four findings."""
    return report_of(("orders", "payments", "ledger", "backups"))


def empty() -> Report:
    """Nothing was found to read."""
    evaluation = evaluate(Snapshot(), as_of=AS_OF)
    bare = {"snapshot": evaluation.snapshot, "principals": evaluation.principals, "access": evaluation.table}
    return Report(**bare, findings=(), as_of=AS_OF)


def many() -> Report:
    """More keys and findings than the page itself has room for."""
    return report_of(tuple(f"number-{number}" for number in range(320)))


def shared() -> Report:
    """As ``many``, with findings about several keys and about very many, in the page itself and beyond it."""
    report = many()
    keys, findings = [key.arn for key in report.snapshot.keys], list(report.findings)
    for place, arns in ((0, keys[:3]), (1, keys[:13]), (310, keys[3:5]), (311, keys[:14])):
        findings[place] = replace(findings[place], keys=tuple(arns), summary="It is about several keys")
    dark = replace(report.snapshot.keys[319], unread=frozenset({Fact.GRANTS, Fact.TAGS}))
    snapshot = replace(report.snapshot, keys=(*report.snapshot.keys[:319], dark))
    return replace(report, snapshot=snapshot, findings=tuple(findings))


def hostile() -> Report:
    """Every text an attack."""
    return report_of(HOSTILE, BIG_SID, ("reader", ROLE))
