"""The condition keys of KMS requests: canonical names, which actions carry them, and what sort each is.

Source: ``model/data/condition_keys.json`` and the per-action lists of ``model/data/actions.json``.
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from auditor.model.actions import ACTIONS, ALL, ON_KEY, mask_of

TAG_FAMILIES = ("aws:resourcetag/", "aws:principaltag/", "aws:requesttag/", "kms:encryptioncontext:")
RESOURCE_KEYS = frozenset(
    {"kms:keyspec", "kms:keyusage", "kms:keyorigin", "kms:multiregion", "kms:multiregionkeytype"}
    | {"kms:customermasterkeyspec", "kms:customermasterkeyusage", "kms:resourcealiases"}
)
"""Keys that describe the KMS key itself; every action on a key carries them (service authorization reference)."""

_GLOBAL = ("aws", "kms")
SESSION_SERVICES = frozenset({"codebuild", "ecs", "eks", "identitystore", "rolesanywhere", "signin", "sso", "sts"})
SESSION_KEYS = frozenset(
    {"ec2:roledelivery", "ec2:sourceinstancearn", "glue:credentialissuingservice", "glue:roleassumedby"}
    | {"lambda:sourcefunctionarn", "ssm:sourceinstancearn"}
)
"""Services, and single keys of others, whose condition keys are part of a role session and so come with every request
(service authorization reference, descriptions of the keys)."""


@cache
def _data() -> dict[str, Any]:
    text = files("auditor.model").joinpath("data/condition_keys.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def _entries() -> tuple[dict[str, Any], ...]:
    return tuple(_data()["keys"])


@cache
def via_services() -> frozenset[str]:
    """The first labels of the service names that AWS documents for ``kms:ViaService``; others may exist."""
    return frozenset(_data()["via_service_names"]["names"])


@cache
def services() -> frozenset[str]:
    """Names of AWS services as endpoints and signatures spell them (``model/data/services.json``)."""
    text = files("auditor.model").joinpath("data/services.json").read_text(encoding="utf-8")
    return frozenset(json.loads(text)["names"])


@lru_cache(maxsize=16384)
def of_another_service(name: str) -> bool:
    """Whether a condition key such as ``ec2:Owner`` belongs to requests of another service: none of KMS carries it.

    Keys that travel with a session whatever service is called do not count, nor do those of identity providers.
    """
    lowered = name.lower()
    prefix = lowered.partition(":")[0]
    elsewhere = prefix in services() and prefix not in SESSION_SERVICES and prefix != "kms"
    return elsewhere and lowered not in SESSION_KEYS


@cache
def _by_name() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for entry in _entries():
        table[family_of(entry["key"].split("${")[0].lower().removesuffix("*"))] = entry
        for member in entry.get("members", ()):
            table[member.lower()] = entry
    return table


@lru_cache(maxsize=16384)
def family_of(name: str) -> str:
    """The lower-case name, or the family prefix of a key with a tag or context part."""
    lowered = name.lower()
    for family in TAG_FAMILIES:
        if lowered.startswith(family):
            return family
    return "kms:recipientattestation:" if lowered.startswith("kms:recipientattestation:") else lowered


@lru_cache(maxsize=16384)
def canonical(name: str) -> str:
    """The name as AWS spells it; the part after a family prefix stays as written; an unknown name stays whole."""
    family = family_of(name)
    entry = _by_name().get(name.lower()) or _by_name().get(family)
    if entry is None:
        return name
    for member in entry.get("members", ()):
        if member.lower() == name.lower():
            return str(member)
    spelled = str(entry["key"]).split("${")[0].removesuffix("*")
    return spelled + name[len(spelled) :]


def exists(name: str) -> bool:
    """Whether the vocabulary knows this key."""
    return family_of(name) in _by_name() or name.lower() in _by_name()


@lru_cache(maxsize=16384)
def meant(name: str) -> str:
    """The condition key that ``name``, which does not exist, was probably meant to be; empty where nothing is close."""
    if exists(name):
        return ""
    prefix, _, rest = name.lower().partition(":")
    known = {one.lower(): one for one in names()}
    spelled = get_close_matches(prefix, _GLOBAL, 1, 0.8) if rest else _GLOBAL
    written = name.partition(":")[2] or name
    moved = [canonical(f"{one}:{written}") for one in _GLOBAL if spelled and exists(f"{one}:{written}")]
    if moved or _other_separator(name):
        return moved[0] if moved else _other_separator(name)
    close = get_close_matches(name.lower(), known, 1, 0.9) if prefix in _GLOBAL else []
    return known[close[0]] if close else ""


def _other_separator(name: str) -> str:
    """A key of a tag or context pair whose name is joined by another character, spelled right; else empty."""
    for family in TAG_FAMILIES:
        stem = family[:-1]
        if name.lower().startswith(stem) and name[len(stem) : len(stem) + 1] in set("./:-_ "):
            return canonical(f"{family}{name[len(stem) + 1 :]}")
    return ""


def misspelt(name: str) -> bool:
    """Whether AWS has no condition key of this name: one like it is meant, or none of KMS is spelled so."""
    return bool(meant(name)) or (name.lower().startswith("kms:") and not exists(name))


def nameless(name: str) -> bool:
    """Whether the key is of a tag or context pair and does not say which."""
    return name.lower() in TAG_FAMILIES


def names() -> tuple[str, ...]:
    """Every condition key as AWS spells it; families end with ``/`` or ``:``."""
    return tuple(sorted(str(entry["key"]).split("${")[0].removesuffix("*") for entry in _entries()))


def multi_valued(name: str) -> bool:
    """Whether a request may carry several values for the key."""
    entry = _by_name().get(family_of(name))
    return bool(entry and entry["multi_valued"])


def data_type(name: str) -> str:
    """The type of a condition key's values as AWS's reference spells it (``Bool``); empty where it is unknown."""
    entry = _by_name().get(name.lower()) or _by_name().get(family_of(name))
    return str(entry["data_type"]) if entry else ""


@cache
def _action_masks() -> dict[str, int]:
    masks: dict[str, int] = {}
    text = files("auditor.model").joinpath("data/actions.json").read_text(encoding="utf-8")
    for bit, entry in enumerate(json.loads(text)["actions"]):
        listed = entry["condition_keys"] + entry["condition_keys_from_api_reference_only"]
        for name in listed:
            family = family_of(name.split("${")[0])
            masks[family] = masks.get(family, 0) | 1 << bit
    for entry in _entries():
        if isinstance(entry["operations"], list) and entry["key"].startswith("kms:"):
            family = family_of(entry["key"].split("${")[0].removesuffix("*"))
            masks[family] = masks.get(family, 0) | mask_of(entry["operations"])
    for name in RESOURCE_KEYS:
        masks[name] = ON_KEY | mask_of(["CreateKey"])
    masks["kms:resourcealiases"] = ON_KEY
    masks["kms:recipientattestation:"] = sum(1 << action.bit for action in ACTIONS if action.recipient_attestation)
    masks["kms:viaservice"] |= ON_KEY
    masks["kms:calleraccount"] = ALL
    return masks


@lru_cache(maxsize=16384)
def carried_by(name: str) -> int:
    """The mask of the actions whose requests can carry a ``kms:`` key; 0 for a ``kms:`` name that does not exist."""
    return _action_masks().get(family_of(name), 0)
