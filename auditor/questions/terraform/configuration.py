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


@dataclass(frozen=True, slots=True)
class ProviderTexts:
    """What a provider's configuration says: its Region, the roles that it assumes one after the other, and the accounts
    that it may work in."""

    region: str = ""
    roles: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


def configured(plan: Values) -> dict[str, Configured]:
    """Address without instances → what is configured there; empty for a plan without its configuration."""
    module = mapping(mapping(plan.get("configuration")).get("root_module"))
    return dict(_of_module(module, ""))


def provider_texts(plan: Values) -> dict[str, ProviderTexts]:
    """Key of a provider's configuration → what is written there as text."""
    providers = mapping(mapping(plan.get("configuration")).get("provider_config")).items()
    return {str(key): _texts(mapping(mapping(provider).get("expressions"))) for key, provider in providers}


def _texts(expressions: Values) -> ProviderTexts:
    assumed = [_constant(mapping(block).get("role_arn")) for block in items(expressions.get("assume_role"))]
    accounts = items(mapping(expressions.get("allowed_account_ids")).get("constant_value"))
    return ProviderTexts(_constant(expressions.get("region")), tuple(assumed), tuple(map(str, accounts)))


def _constant(expression: Any) -> str:
    value = mapping(expression).get("constant_value")
    return value if isinstance(value, str) else ""


def sole_providers(plan: Values) -> dict[str, str]:
    """Name of a provider → the key of its configuration, where it has one alone: then all its resources have that."""
    found: dict[str, list[str]] = {}
    for key, provider in mapping(mapping(plan.get("configuration")).get("provider_config")).items():
        found.setdefault(str(mapping(provider).get("full_name")), []).append(str(key))
    return {name: keys[0] for name, keys in found.items() if len(keys) == 1}


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
