"""The configuration in a plan: which attributes of a resource are written there, what they refer to, whose provider.

Addresses in it have no instances: that of ``module.m[0].aws_kms_key.k["a"]`` is ``module.m.aws_kms_key.k``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.questions.terraform.values import Values, items, mapping

INSTANCE = r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]'
_INSTANCE = re.compile(INSTANCE)
_MODULES = re.compile(rf"(?:module\.[^.\[]+(?:{INSTANCE})?\.)*")


@dataclass(frozen=True, slots=True)
class Configured:
    """One resource of the configuration.

    ``references``: attribute → the addresses that its expression names. ``attributes`` are all that are written, blocks
    too; ``provider`` is the key of its provider's configuration.
    """

    references: Mapping[str, tuple[str, ...]]
    attributes: frozenset[str]
    provider: str


def configured(plan: Values) -> dict[str, Configured]:
    """Address without instances → what is configured there; empty for a plan without its configuration."""
    module = mapping(mapping(plan.get("configuration")).get("root_module"))
    return dict(_of_module(module, ""))


def provider_regions(plan: Values) -> dict[str, str]:
    """Key of a provider's configuration → its Region, where that is written as text."""
    found = {}
    for key, provider in mapping(mapping(plan.get("configuration")).get("provider_config")).items():
        region = mapping(mapping(mapping(provider).get("expressions")).get("region")).get("constant_value")
        if isinstance(region, str):
            found[str(key)] = region
    return found


def default_tags(plan: Values) -> bool | None:
    """Whether a provider of the plan has tags for all of its resources; None where the plan does not say."""
    configuration = mapping(plan.get("configuration"))
    if "root_module" not in configuration:
        return None
    providers = mapping(configuration.get("provider_config")).values()
    return any("default_tags" in mapping(mapping(provider).get("expressions")) for provider in providers)


def without_instances(address: str) -> str:
    """The address in the configuration of a resource of the plan."""
    return _INSTANCE.sub("", address)


def module_of(address: str) -> str:
    """The modules that a resource is in, with their instances, as the beginning of its address."""
    found = _MODULES.match(address)
    return found.group() if found else ""


def _of_module(module: Values, prefix: str) -> Iterator[tuple[str, Configured]]:
    for resource in map(mapping, items(module.get("resources"))):
        expressions = mapping(resource.get("expressions"))
        named = {name: references(value) for name, value in expressions.items() if isinstance(value, Mapping)}
        provider = str(resource.get("provider_config_key") or "")
        yield f"{prefix}{resource.get('address')}", Configured(named, frozenset(expressions), provider)
    for name, call in mapping(module.get("module_calls")).items():
        yield from _of_module(mapping(mapping(call).get("module")), f"{prefix}module.{name}.")


def references(expression: Mapping[str, Any]) -> tuple[str, ...]:
    """What an expression names: resources, variables, outputs of modules, each also by the beginnings of its name."""
    return tuple(map(str, items(expression.get("references"))))
