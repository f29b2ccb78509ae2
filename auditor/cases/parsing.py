"""From plain data to cases: the file's frame, its defaults, and the fields of each case, all checked strictly.

A file is a list of cases, or an object with ``cases`` and optionally ``defaults`` (fields for every case),
``default_key`` and ``default_principal``. Names that begin with ``x-`` hold YAML anchors and are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from auditor.cases.annotations import MISPLACED, OF_CASE, OF_FRAME, annotations_of, sentences
from auditor.cases.fields import Field
from auditor.cases.key_fields import read_key
from auditor.cases.organization_fields import read_organization
from auditor.cases.principal_fields import read_principal
from auditor.cases.reading import find_files, read_data
from auditor.cases.residual_fields import read_residual
from auditor.cases.schema import DECISIONS, REASONS, UNREAD, Case, Expectation
from auditor.errors import CaseFileError
from auditor.evaluator.surroundings import Context, Surroundings

SCHEMA_VERSION = "1"
FRAME = (
    "schema_version",
    "description",
    "default_key",
    "default_principal",
    "defaults",
    "cases",
    "conventions",
    "reason_codes",
)
CASE = ("id", "title", "area", *OF_CASE, "sources", "confidence", "note")
MERGED = ("key", "principal")
"""Fields of a case that override the file's defaults one by one; every other field replaces the default as a whole."""
OF_ARN = ("account", "region")
"""Fields of a default key that say what its ARN says."""
AS_OF = "2026-11-22T00:00:00Z"
"""The time of a case that names none: fixed, so that a case never changes its answer by itself."""


@dataclass(frozen=True, slots=True)
class CaseSet:
    """The cases that could be read, in file order, one error for each case or file that could not, and one sentence for
    each name of a file that plays no part."""

    cases: tuple[Case, ...]
    refused: tuple[CaseFileError, ...] = ()
    ignored: tuple[str, ...] = ()


def load_cases(paths: Iterable[Path]) -> tuple[Case, ...]:
    """All cases of the files and folders, in file order.

    Raises CaseFileError, naming file, case and field, for the first that is not exactly a case.
    """
    found = read_cases(paths)
    if found.refused:
        raise found.refused[0]
    return found.cases


def read_cases(paths: Iterable[Path]) -> CaseSet:
    """What can be read of the files and folders: a case with a mistake is refused whole and the others stand.

    Raises CaseFileError for a path that is no case file or folder.
    """
    cases: dict[str, Case] = {}
    refused: list[CaseFileError] = []
    ignored: list[Field] = []
    for path in find_files(paths):
        try:
            frame = _frame(str(path), read_data(path), ignored)
            elements = _elements(frame)
        except CaseFileError as error:
            refused.append(error)
            continue
        for element in elements:
            try:
                case = _case(_with_defaults(frame, element, ignored))
                _once(case, cases.get(case.id))
            except CaseFileError as error:
                refused.append(error)
            else:
                cases[case.id] = case
    return CaseSet(tuple(cases.values()), tuple(refused), sentences(ignored))


def _once(case: Case, other: Case | None) -> None:
    """Refuses an id that another case has."""
    if other is not None:
        also = "" if other.file == case.file else f" (also in {other.file})"
        raise CaseFileError(f"{case.file}: case {case.id}: field id: used twice{also}.")


def _frame(file: str, data: Any, ignored: list[Field]) -> Field:
    """The file as an object; ``ignored`` takes what plays no part."""
    if isinstance(data, list):
        data = {"cases": data}
    if isinstance(data, dict):
        data = {name: value for name, value in data.items() if not name.startswith("x-")}
    frame = Field(file, "", "", data)
    ignored += annotations_of(frame, FRAME, OF_FRAME, OF_CASE)
    version = frame["schema_version"]
    if version.default(Field.scalar, SCHEMA_VERSION) != SCHEMA_VERSION:
        version.fail(f"{version.value!r} is not known.", f"This version reads schema {SCHEMA_VERSION}.")
    return frame


def _elements(frame: Field) -> list[Field]:
    elements = frame["cases"].elements()
    if not elements:
        frame["cases"].fail("is empty.")
    return elements


def _with_defaults(frame: Field, element: Field, ignored: list[Field]) -> Field:
    """The case with the file's defaults under it, and its id known to every complaint from here on."""
    given = element.mapping()
    name = given.get("id")
    spot = Field(frame.file, name if isinstance(name, str) else element.path, "", given)
    ignored += annotations_of(replace(spot, case=name if isinstance(name, str) else ""), CASE, OF_CASE, MISPLACED)
    merged: dict[str, Any] = {**frame["defaults"].default(lambda f: f.mapping(CASE), {}), **given}
    for part in MERGED:
        layers = [frame[f"default_{part}"], frame["defaults"][part], spot[part]]
        if part == "principal" and isinstance(spot[part].value, dict) and "type" in spot[part].value:
            del layers[1]  # another kind of caller shares nothing with the default one
        merged[part] = {}
        for layer in layers:
            given_here = {} if layer.absent else layer.mapping()
            if part == "key" and "arn" in given_here:
                _forget(merged[part], *OF_ARN)
            merged[part] |= given_here
    return spot.with_value(merged)


def _forget(values: dict[str, Any], *names: str) -> None:
    """Takes default values away that belong to the ARN that the case replaces."""
    for name in names:
        values.pop(name, None)


def _case(spot: Field) -> Case:
    case_id = spot["id"].text()
    spot = replace(spot, case=case_id)
    unread = frozenset(() if spot["unread"].absent else (name.choice(UNREAD) for name in spot["unread"].elements()))
    principal = read_principal(spot["principal"], unread)
    key = read_key(spot, unread)
    organization = read_organization(spot["organization"], principal.account, key.account, unread)
    return Case(
        id=case_id,
        file=spot.file,
        title=spot["title"].default(Field.remark, ""),
        area=spot["area"].default(Field.remark, ""),
        key=key,
        principal=principal,
        surroundings=Surroundings(
            organization=organization,
            organization_unread="organization" in unread,
            as_of=spot["as_of"].default(Field.moment, AS_OF),
        ),
        action=spot["action"].text(),
        context=_context(spot["context"]),
        expect=_expectation(spot["expect"]),
        sources=spot["sources"].texts(),
        confidence=spot["confidence"].default(lambda f: f.choice(("high", "medium", "low")), ""),
        note=spot["note"].default(Field.remark, ""),
    )


def _context(field: Field) -> Context:
    if field.absent:
        return {}
    return {name: None if entry.absent else entry.scalars() for name, entry in field.items()}


def _expectation(field: Field) -> Expectation:
    field.mapping(("decision", "reason", "residual", "flags"))
    decision = field["decision"].choice(DECISIONS)
    residual = read_residual(field["residual"])
    if residual is not None and decision != "conditional":
        field["residual"].fail("only a conditional decision has a residual.")
    return Expectation(
        decision=decision,
        reason=field["reason"].default(lambda f: f.choice(REASONS), ""),
        residual=residual,
        flags=field["flags"].texts(),
    )
