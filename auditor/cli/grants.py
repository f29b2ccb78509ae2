"""``kms-audit grants``: the grants of a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import answer_format, aws_options, from_options, global_options
from auditor.model.arn import account_of

if TYPE_CHECKING:
    from auditor.questions import GrantRow

COLUMNS = (
    "key",
    "alias",
    "grant",
    "name",
    "grantee",
    "grantee_missing",
    "retiring",
    "issuing_account",
    "operations",
    "constraint",
    "created",
    "age_days",
)


@click.command("grants")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option(
    "--stale", type=click.IntRange(0), metavar="DAYS", help="Only grants of at least this age, or of unknown age."
)
@click.option("--grantee", metavar="PATTERN", help="Only grants of this grantee (ARN, role/NAME, account or pattern).")
@click.option("--issued-by", metavar="ACCOUNT", help="Only grants that this account issued.")
@click.option("--missing", is_flag=True, help="Only grants whose grantee does not exist any more.")
@click.option("--unconstrained", is_flag=True, help="Only grants without a constraint.")
@answer_format("text", "json", "csv")
@from_options
@aws_options
@global_options
def command(keys: tuple[str, ...], stale: int | None, form: str, **given: Any) -> int:
    """The grants of all keys, or of KEY: grantee, age, operations, constraint, issuing account; oldest first."""
    from auditor.cli.asking import as_csv, as_json, facts, is_pattern
    from auditor.cli.terminal import document, result, warn
    from auditor.model.key import Fact
    from auditor.questions import find_all_keys, grant_list

    given["issued_by"] = _account(given["issued_by"])
    if given["grantee"] == "":
        raise click.BadParameter("it is empty.", param_hint="--grantee")
    asking = facts(given)
    wanted = find_all_keys(asking.snapshot, keys) if keys else asking.snapshot.keys
    rows = grant_list(asking.snapshot, asking.as_of, keys=wanted, stale_days=stale)
    rows = tuple(item for item in rows if _wanted(item, given))
    if not keys or any(map(is_pattern, keys)):
        asking.say_unknown(follows="grants may be missing here")
        asking.say_unlisted()
    for key in wanted:
        if Fact.GRANTS in key.unread:
            warn(f"not listed: the grants of {key.arn} ({key.label}), which could not be read")
    if form == "text":
        result("\n".join(_text(rows)))
    else:
        plain = [_row(item) for item in rows]
        document(as_json(plain) if form == "json" else as_csv(plain, COLUMNS))
    return 0


def _account(given: str | None) -> str | None:
    """The account of --issued-by, by its id or as ListGrants shows it."""
    found = account_of(given) if given else None
    if given is not None and found is None:
        raise click.BadParameter(f"“{given}” is no account.", param_hint="--issued-by")
    return found


def _wanted(item: GrantRow, given: dict[str, Any]) -> bool:
    return (
        (not given["grantee"] or item.held_by(given["grantee"]))
        and (not given["issued_by"] or item.grant.issuing_account == given["issued_by"])
        and (not given["missing"] or item.grantee_missing is True)
        and (not given["unconstrained"] or not item.constraint)
    )


def _row(item: GrantRow) -> dict[str, Any]:
    grant = item.grant
    return {
        "key": item.key.arn,
        "alias": item.key.label,
        "grant": grant.grant_id,
        "name": grant.name,
        "grantee": item.grantee,
        "grantee_missing": item.grantee_missing,
        "retiring": grant.retiring or grant.retiring_service,
        "issuing_account": grant.issuing_account,
        "operations": list(grant.operations),
        "constraint": item.constraint,
        "created": grant.created,
        "age_days": item.age_days,
    }


def _age(item: GrantRow) -> str:
    from auditor.report.wording import plural

    if item.age_days is None:
        return "age unknown"
    return plural(item.age_days, "day") if item.age_days >= 0 else f"made {plural(-item.age_days, 'day')} later"


def _text(rows: tuple[GrantRow, ...]) -> list[str]:
    from auditor.cli.terminal import printable
    from auditor.report.wording import plural

    lines: list[str] = []
    for item in rows:
        missing = click.style(" (does not exist)", fg="red") if item.grantee_missing else ""
        lines.append(printable(f"{item.key.label}  {item.grant.name or item.grant.grant_id[:16]}  {_age(item)}"))
        lines.append(printable(f"  {item.grantee}") + missing)
        constraint = f", if {item.constraint}" if item.constraint else ""
        lines.append(printable(f"  {', '.join(item.grant.operations)}{constraint}"))
        issuer = item.grant.issuing_account
        if issuer and issuer != item.key.account:
            lines.append(printable(f"  issued by {issuer}"))
    return [*lines, plural(len(rows), "grant")]
