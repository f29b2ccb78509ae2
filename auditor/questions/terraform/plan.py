"""A plan as it is read: the changes of managed resources, and what the plan knows about policies by id and ARN."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from auditor.errors import UsageError
from auditor.model.arn import parse_arn
from auditor.questions.edits import Edit
from auditor.questions.terraform.configuration import (
    Configured,
    configured,
    default_tags,
    module_of,
    provider_texts,
    sole_providers,
    without_instances,
)
from auditor.questions.terraform.places import Place, Seen, places, provider_of, seen_before
from auditor.questions.terraform.values import Values, is_unknown, items, mapping
from auditor.questions.terraform.wiring import Wiring, wired

IDLE = frozenset({"no-op", "read", "forget"})
"""Actions that change nothing at AWS."""
PLANNED = frozenset({"resource_changes", "planned_values"})
"""One of these is in every plan, and in no state."""
FORMATS = ("0.", "1.")
"""Versions of the format; Terraform's documentation asks readers to refuse any other first number."""
MATERIAL = "key_material_base64"
"""Always sensitive, also where there is none."""
KNOWN_FORMAT = "Make it with a version of Terraform that writes format 1."
REMEDY = "Make one with `terraform show -json PLANFILE`."


class OpenError(Exception):
    """A change that cannot be turned into an edit; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Change:
    """One planned change. ``before`` None: it is created; ``after`` None: it is deleted. ``unknown``: after apply.

    ``provider`` is the key of its provider's configuration, or the provider's name.
    """

    address: str
    type: str
    actions: tuple[str, ...]
    before: Values | None
    after: Values | None
    unknown: Values
    provider: str = ""

    @property
    def made(self) -> bool:
        """Whether it is created, or made anew."""
        return "create" in self.actions and self.after is not None

    def now(self, name: str) -> Any:
        """The value after apply. Raises OpenError where the plan does not know it."""
        if is_unknown(self.unknown.get(name)):
            raise OpenError(f"`{name}` is known only after apply")
        return (self.after or {}).get(name)

    def was(self, name: str) -> Any:
        """The value before, None when there was none."""
        return (self.before or {}).get(name)

    def differs(self, name: str) -> bool:
        """Whether the value changes, or may."""
        return is_unknown(self.unknown.get(name)) or (self.after or {}).get(name) != self.was(name)

    def name_of(self, *names: str) -> str:
        """The first of these members that identifies the resource, before or after. Raises OpenError."""
        for values in (self.before or {}, self.after or {}):
            for name in names:
                if isinstance(values.get(name), str) and values[name]:
                    return str(values[name])
        raise OpenError(f"`{names[0]}` is known only after apply")


def each(*parts: Iterator[Edit]) -> Iterator[Edit]:
    """The edits of all parts of a change: what one leaves open stops no other. Raises OpenError with all reasons."""
    reasons: dict[str, None] = {}
    for part in parts:
        try:
            yield from part
        except OpenError as error:
            reasons.setdefault(str(error))
    if reasons:
        raise OpenError("; ".join(reasons))


def document(value: Any, name: str) -> str:
    """A policy document as text. Raises OpenError without one."""
    if not isinstance(value, str) or not value:
        raise OpenError(f"`{name}` is not in the plan")
    return value


def text_of(value: Any, name: str) -> str:
    """A name as text. Raises OpenError without one."""
    if not isinstance(value, str) or not value:
        raise OpenError(f"`{name}` is not in the plan")
    return value


def listed(value: Any, name: str) -> list[Any]:
    """The items of a list; none where there is none. Raises OpenError for anything else."""
    if value is not None and not isinstance(value, list):
        raise OpenError(f"`{name}` is no list")
    return value or []


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of a plan, and every resource in it, changed or not.

    ``deferred`` are changes that Terraform puts off to a later plan; ``errored``: it could not plan everything;
    ``default_tags``: whether a provider adds tags of its own, None where nobody knows; ``lasting``: address → what it
    will be after apply.
    """

    changes: tuple[Change, ...]
    resources: tuple[Change, ...]
    configuration: Mapping[str, Configured]
    places: Mapping[str, Place]
    deferred: tuple[Change, ...] = ()
    errored: bool = False
    default_tags: bool | None = None
    wiring: Wiring = field(default_factory=Wiring)
    lasting: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)

    def document(self, type_: str, id_name: str, identity: str, content: str) -> tuple[str, str] | None:
        """``(name, text)`` of the policy of ``type_`` whose ``id_name`` is ``identity``, as it will be after apply."""
        for resource in self.resources:
            values = resource.after if resource.after is not None else resource.before
            if resource.type != type_ or identity not in (resource.was(id_name), (values or {}).get(id_name)):
                continue
            text = (values or {}).get(content)
            if isinstance(text, str):
                return str((values or {}).get("name") or identity), text
        return None

    def referred(self, change: Change, attribute: str, *types: str) -> Change | None:
        """The resource of one of these types that the configuration of ``change`` names for an attribute.

        None where it names none, or several; of a resource with instances it must say which.
        """
        written = self.configuration.get(without_instances(change.address))
        named = written.references.get(attribute, ()) if written else ()
        module = module_of(change.address)
        addresses = {address for name in named for address in self.wiring.followed(module, name)}
        found = [item for address in addresses for item in self.lasting.get(address, ()) if item.type in types]
        return found[0] if len(found) == 1 else None

    def left_out(self, change: Change, attribute: str) -> bool:
        """Whether the configuration is known not to say anything about an attribute: then it has AWS's default."""
        written = self.configuration.get(without_instances(change.address))
        return written is not None and attribute not in written.attributes

    def place(self, change: Change) -> Place:
        """Where a resource is, or is going to be, as far as the plan tells."""
        known, arn = self.places.get(change.provider, Place()), parse_arn(str(change.was("arn") or ""))
        if arn is not None:
            known = Place(arn.partition, arn.account, arn.region or known.region)
        region = (change.after or change.before or {}).get("region")
        return replace(known, region=region) if isinstance(region, str) and region else known


Reader = Callable[[Plan, Change], Iterator[Edit]]
"""What a change of one type of resource means."""


def read_plan(plan: Any) -> Plan:
    """The plan. Raises UsageError for anything that is none."""
    entries = plan.get("resource_changes", []) if isinstance(plan, dict) else None
    if isinstance(plan, dict) and "values" in plan and not PLANNED & plan.keys():
        raise UsageError("This is a Terraform state, no plan.", REMEDY)
    if not isinstance(entries, list) or not PLANNED & plan.keys():
        raise UsageError("This is no Terraform plan.", REMEDY)
    version = plan.get("format_version")
    if isinstance(version, str) and not version.startswith(FORMATS):
        raise UsageError(f"This Terraform plan has the format {version[:20]}, which is not known.", KNOWN_FORMAT)
    written = configured(plan)
    sole = sole_providers(plan)
    made = (_change(entry) for entry in entries if _managed(entry))
    resources = tuple(replace(one, provider=provider_of(one.address, one.provider, written, sole)) for one in made)
    changes = tuple(item for item in resources if not item.actions or set(item.actions) - IDLE)
    put_off = (mapping(entry).get("resource_change") for entry in items(plan.get("deferred_changes")))
    deferred = tuple(_change(entry) for entry in put_off if isinstance(entry, dict) and _managed(entry))
    errored, where = plan.get("errored") is True, _places(plan, resources, written, sole)
    tags, wiring, lasting = default_tags(plan), wired(plan), _lasting(resources)
    return Plan(changes, resources, written, where, deferred, errored, tags, wiring, lasting)


def _lasting(resources: Iterable[Change]) -> dict[str, tuple[Change, ...]]:
    found: dict[str, tuple[Change, ...]] = {}
    for one in resources:
        if one.actions != ("delete",):
            found[one.address] = (*found.get(one.address, ()), one)
    return found


def _places(
    plan: Values, resources: Iterable[Change], written: dict[str, Configured], sole: dict[str, str]
) -> dict[str, Place]:
    """Where each provider works, by what it has made already and what it has read."""
    there = (Seen(one.address, one.type, one.provider, one.before) for one in resources if one.before is not None)
    return places((*there, *seen_before(plan)), written, provider_texts(plan), sole)


def _managed(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise UsageError(
            "This is no Terraform plan: an entry of `resource_changes` is no change of a resource.", REMEDY
        )
    return bool(entry.get("mode", "managed") == "managed")


def _change(entry: Values) -> Change:
    change = _mapping(entry.get("change")) or {}
    actions = items(change.get("actions"))
    hidden = _hidden(mapping(change.get("after")), mapping(change.get("after_sensitive")))
    return Change(
        address=str(entry.get("address", "?")),
        type=str(entry.get("type", "")),
        actions=tuple(map(str, actions)),
        before=_mapping(change.get("before")),
        after=_mapping(change.get("after")),
        unknown={**mapping(change.get("after_unknown")), **hidden},
        provider=str(entry.get("provider_name", "")),
    )


def _hidden(after: Values, sensitive: Values) -> Values:
    """What somebody took out of the plan because it is sensitive, in the form of ``after_unknown``."""
    taken = (name for name, hidden in sensitive.items() if hidden is True and name != MATERIAL)
    return {name: True for name in taken if name in after and after[name] is None}


def _mapping(value: Any) -> Values | None:
    return value if isinstance(value, Mapping) else None
