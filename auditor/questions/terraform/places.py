"""In which account and Region a plan makes something new: told by what its provider has made or read already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.model.arn import is_account_id, parse_arn
from auditor.questions.terraform.configuration import Configured, ProviderTexts, without_instances
from auditor.questions.terraform.values import Values, items, mapping

CALLER, REGION = "aws_caller_identity", "aws_region"
OFTEN_FOREIGN = ("organizations", "sns")
"""Services whose ARNs name the account of the organization, or of a topic, and not that of the provider."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A resource, or a data source (``read``), with its values as the plan knows them."""

    address: str
    type: str
    provider_name: str
    values: Values
    read: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a provider works; what the plan does not tell is empty."""

    partition: str = ""
    account: str = ""
    region: str = ""


def places(
    seen: Iterable[Seen], resources: dict[str, Configured], texts: dict[str, ProviderTexts], sole: dict[str, str]
) -> dict[str, Place]:
    """Provider → where it works, as far as all that is known of it agrees."""
    found: dict[str, list[Place]] = {provider: [_place_in(told)] for provider, told in texts.items()}
    for one in seen:
        found.setdefault(provider_of(one.address, one.provider_name, resources, sole), []).extend(_places_of(one))
    return {provider: _agreed(known) for provider, known in found.items()}


def provider_of(address: str, provider_name: str, resources: dict[str, Configured], sole: dict[str, str]) -> str:
    """The provider's configuration that a resource has; of one that is not configured any more the only one there is.

    Without any, all of a plan are taken together, by the provider's name.
    """
    written = resources.get(without_instances(address))
    return written.provider if written and written.provider else sole.get(provider_name, provider_name)


def _place_in(told: ProviderTexts) -> Place:
    """Where a provider's configuration says that it works: in the account of the last role, or the only one allowed."""
    role = parse_arn(told.roles[-1]) if told.roles else None
    if role is not None:
        return Place(role.partition, _account(role.account), told.region)
    return Place(account=_account(told.accounts[0]) if len(told.accounts) == 1 else "", region=told.region)


def _places_of(one: Seen) -> Iterator[Place]:
    arn = parse_arn(str(one.values.get("arn") or ""))
    if one.type == CALLER:
        yield Place(arn.partition if arn else "", _account(str(one.values.get("account_id") or "")))
    elif one.type == REGION:
        yield Place(region=str(one.values.get("region") or one.values.get("name") or ""))
    elif arn is not None and not one.read and arn.service not in OFTEN_FOREIGN:
        yield Place(arn.partition, _account(arn.account), arn.region)


def _account(text: str) -> str:
    return text if is_account_id(text) else ""


def _agreed(known: list[Place]) -> Place:
    return Place(
        _one({place.partition for place in known}),
        _one({place.account for place in known}),
        _one({place.region for place in known}),
    )


def _one(values: set[str]) -> str:
    found = values - {""}
    return next(iter(found)) if len(found) == 1 else ""


def seen_before(plan: Values) -> Iterator[Seen]:
    """The resources and data sources that Terraform knew before it planned."""
    yield from _of_module(mapping(mapping(mapping(plan.get("prior_state")).get("values")).get("root_module")))


def _of_module(module: Values) -> Iterator[Seen]:
    for item in map(mapping, items(module.get("resources"))):
        address, kind, provider = (str(item.get(name) or "") for name in ("address", "type", "provider_name"))
        yield Seen(address, kind, provider, mapping(item.get("values")), read=item.get("mode") == "data")
    for child in map(mapping, items(module.get("child_modules"))):
        yield from _of_module(child)
