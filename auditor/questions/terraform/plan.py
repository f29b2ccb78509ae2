"""A plan as it is read: the changes of managed resources, and what the plan knows about policies by id and ARN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import UsageError
from auditor.questions.edits import Edit

Values = Mapping[str, Any]
IDLE = frozenset({"no-op", "read", "forget"})
"""Actions that change nothing at AWS."""
PLANNED = frozenset({"resource_changes", "planned_values"})
"""One of these is in every plan, and in no state."""
REMEDY = "Make one with `terraform show -json PLANFILE`."


class OpenError(Exception):
    """A change that cannot be turned into an edit; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Change:
    """One planned change. ``before`` None: it is created; ``after`` None: it is deleted. ``unknown``: after apply."""

    address: str
    type: str
    actions: tuple[str, ...]
    before: Values | None
    after: Values | None
    unknown: Values

    def now(self, name: str) -> Any:
        """The value after apply. Raises OpenError where the plan does not know it."""
        if _is_unknown(self.unknown.get(name)):
            raise OpenError(f"`{name}` is known only after apply")
        return (self.after or {}).get(name)

    def was(self, name: str) -> Any:
        """The value before, None when there was none."""
        return (self.before or {}).get(name)

    def differs(self, name: str) -> bool:
        """Whether the value changes, or may."""
        return _is_unknown(self.unknown.get(name)) or (self.after or {}).get(name) != self.was(name)

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


def _is_unknown(value: Any) -> bool:
    """``after_unknown`` mirrors the shape of the value and holds true where it is not known."""
    if isinstance(value, Mapping):
        return any(_is_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(_is_unknown(item) for item in value)
    return value is True


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of a plan, and every resource in it, changed or not.

    ``deferred`` are changes that Terraform puts off to a later plan; ``errored``: it could not plan everything.
    """

    changes: tuple[Change, ...]
    resources: tuple[Change, ...]
    references: Mapping[str, Mapping[str, tuple[str, ...]]]
    deferred: tuple[Change, ...] = ()
    errored: bool = False

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

    def referred(self, change: Change, attribute: str, type_: str) -> Change | None:
        """The resource of ``type_`` that the configuration of ``change`` names for an attribute, if it names one."""
        named = self.references.get(change.address, {}).get(attribute, ())
        prefix = change.address.rpartition(f"{change.type}.")[0]
        found = [item for item in self.resources if item.type == type_ and item.address in _within(prefix, named)]
        return found[0] if len(found) == 1 else None


def _within(prefix: str, named: tuple[str, ...]) -> set[str]:
    return {prefix + name for name in named}


def read_plan(plan: Any) -> Plan:
    """The plan. Raises UsageError for anything that is none."""
    entries = plan.get("resource_changes", []) if isinstance(plan, dict) else None
    if isinstance(plan, dict) and "values" in plan and not PLANNED & plan.keys():
        raise UsageError("This is a Terraform state, no plan.", REMEDY)
    if not isinstance(entries, list) or not PLANNED & plan.keys():
        raise UsageError("This is no Terraform plan.", REMEDY)
    resources = tuple(_change(entry) for entry in entries if _managed(entry))
    changes = tuple(item for item in resources if not item.actions or set(item.actions) - IDLE)
    put_off = (mapping(entry).get("resource_change") for entry in items(plan.get("deferred_changes")))
    deferred = tuple(_change(entry) for entry in put_off if isinstance(entry, dict) and _managed(entry))
    return Plan(changes, resources, _references(plan), deferred, plan.get("errored") is True)


def _managed(entry: Any) -> bool:
    if not isinstance(entry, dict):
        raise UsageError("This is no Terraform plan: an entry of `resource_changes` is no object.", REMEDY)
    return bool(entry.get("mode", "managed") == "managed")


def _change(entry: Values) -> Change:
    change = _mapping(entry.get("change")) or {}
    actions = items(change.get("actions"))
    return Change(
        address=str(entry.get("address", "?")),
        type=str(entry.get("type", "")),
        actions=tuple(map(str, actions)),
        before=_mapping(change.get("before")),
        after=_mapping(change.get("after")),
        unknown=_mapping(change.get("after_unknown")) or {},
    )


def items(value: Any) -> list[Any]:
    """A list of the plan; anything else has no items."""
    return value if isinstance(value, list) else []


def mapping(value: Any) -> Values:
    """An object of the plan; anything else has no members."""
    return value if isinstance(value, Mapping) else {}


def _mapping(value: Any) -> Values | None:
    return value if isinstance(value, Mapping) else None


def _references(plan: Values) -> dict[str, dict[str, tuple[str, ...]]]:
    """Address → attribute → the addresses that its expression names; resources of ``count`` or ``for_each`` are left
    out, because the expression does not say which instance is meant."""
    configuration = _mapping(plan.get("configuration")) or {}
    module = _mapping(configuration.get("root_module")) or {}
    return dict(_module_references(module, ""))


def _module_references(module: Values, prefix: str) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    for resource in map(mapping, items(module.get("resources"))):
        if "count_expression" in resource or "for_each_expression" in resource:
            continue
        expressions = _mapping(resource.get("expressions")) or {}
        named = {
            name: tuple(map(str, items(value.get("references"))))
            for name, value in expressions.items()
            if isinstance(value, Mapping)
        }
        yield f"{prefix}{resource.get('address')}", named
    for name, call in (_mapping(module.get("module_calls")) or {}).items():
        if isinstance(call, Mapping) and "count_expression" not in call and "for_each_expression" not in call:
            yield from _module_references(_mapping(call.get("module")) or {}, f"{prefix}module.{name}.")
