"""Case files: what is refused, with which words, and what a case becomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.cases import load_cases, read_cases, run_case
from auditor.cases.schema import Case
from auditor.errors import CaseFileError
from auditor.model.key import Fact
from auditor.model.principal import PrincipalKind

KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
USER = "arn:aws:iam::111122223333:user/alice"
ORG: dict[str, Any] = {"id": "o-1", "management_account": "999900001111"}
FULL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def minimal(**changes: Any) -> dict[str, Any]:
    case = {
        "id": "A",
        "key": {"arn": KEY},
        "principal": {"type": "iam_user", "arn": USER},
        "action": "kms:Decrypt",
        "expect": {"decision": "denied"},
    }
    return {name: value for name, value in {**case, **changes}.items() if value is not ...}


def load(tmp_path: Path, *cases: dict[str, Any], **frame: Any) -> tuple[Case, ...]:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"cases": list(cases), **frame}), encoding="utf-8")
    return load_cases([file])


def load_yaml(tmp_path: Path, text: str) -> tuple[Case, ...]:
    file = tmp_path / "cases.yaml"
    file.write_text(text, encoding="utf-8")
    return load_cases([file])


def test_words_for_people_may_be_empty(tmp_path: Path) -> None:
    (case,) = load(tmp_path, minimal(title="", area="", note=""))
    assert (case.title, case.area, case.note) == ("", "", "")


def test_a_minimal_case(tmp_path: Path) -> None:
    (case,) = load(tmp_path, minimal())
    assert case.key.account == "111122223333"
    assert case.key.region == "us-west-2"
    assert case.principal.kind is PrincipalKind.USER
    assert case.principal.account == "111122223333"
    assert case.surroundings.organization is None


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (minimal(id=...), "field id: is required"),
        (minimal(expect=...), "case A: field expect: is required"),
        (minimal(expcet={}), "case A: field expcet: unknown field. Did you mean expect?"),
        (minimal(scps={}), "case A: field scps: does not belong here"),
        (minimal(expect={"decision": "maybe"}), "case A: field expect.decision: unknown value 'maybe'"),
        (minimal(expect={"decision": "denied", "reason": "because"}), "field expect.reason: unknown value"),
        (minimal(expect={"decision": "denied", "residual": {"cond": {}}}), "field expect.residual: not a residual"),
        (
            minimal(expect={"decision": "conditional", "residual": {"all": [{"cond": "x"}, {"cond": "y"}]}}),
            "field expect.residual: not a residual",
        ),
        (
            minimal(expect={"decision": "allowed", "residual": {"all": []}}),
            "field expect.residual: only a conditional decision has a residual",
        ),
        (minimal(expect={"decision": "denied", "flags": "one"}), "field expect.flags: must be a list, not text"),
        (minimal(key={"arn": "arn:aws:s3:::bucket"}), "field key.arn: 'arn:aws:s3:::bucket' is no key ARN"),
        (minimal(key={"arn": KEY, "aliases": ["app"]}), "field key.aliases[0]: 'app' is no alias name"),
        (minimal(key={"arn": KEY, "account": 111122223333}), "field key.account: must be text, not a number"),
        (minimal(key={"arn": KEY, "colour": "red"}), "field key.colour: unknown field"),
        (minimal(key_policies={"other": {}}), "field key_policies.other: unknown field"),
        (minimal(key_policies={"default": 7}), "field key_policies.default: must be a policy document"),
        (minimal(principal={"type": "robot", "arn": USER}), "field principal.type: unknown value 'robot'"),
        (minimal(principal={"type": "iam_user", "arn": "alice"}), "field principal.arn: 'alice' is no principal's ARN"),
        (
            minimal(principal={"type": "role_session", "arn": USER}),
            f"field principal.arn: '{USER}' is no assumed-role ARN",
        ),
        (
            minimal(principal={"type": "iam_user", "arn": USER, "account": "444455556666"}),
            "field principal.account: contradicts the ARN",
        ),
        (
            minimal(principal={"type": "iam_user", "arn": USER, "iam_arn": USER + "2"}),
            "field principal.iam_arn: differs from arn",
        ),
        (minimal(grants=[{"GrantId": "g"}]), "field grants[0].GranteePrincipal: is required"),
        (minimal(as_of="yesterday"), "field as_of: 'yesterday' is no time"),
        (
            minimal(key={"arn": KEY, "last_usage": {"last_used": "never"}}),
            "field key.last_usage.last_used: 'never' is no",
        ),
        (
            minimal(
                expect={
                    "decision": "conditional",
                    "residual": {"cond": {"operator": "GrantEncryptionContextSubset", "values": [["a", "b", "c"]]}},
                }
            ),
            "field expect.residual: not a grant constraint: ['a', 'b', 'c']",
        ),
        (minimal(unread=["weather"]), "field unread[0]: unknown value 'weather'"),
        (minimal(unread=["scp"]), "field organization: is required, because the case says that scp"),
        (minimal(organization={"id": "o-1"}), "field organization.management_account: is required"),
        (
            minimal(organization={**ORG, "paths": {"111122223333": "o-2/r-1/"}}),
            "field organization.paths.111122223333: is no path of o-1",
        ),
        (minimal(organization={**ORG, "scps": {"1111": []}}), "field organization.scps.1111: '1111' is no 12-digit"),
        (minimal(context={"aws:SourceIp": {"a": 1}}), "field context.aws:SourceIp: must be text, a number"),
        (minimal(sources="page"), "field sources: must be a list, not text"),
        (minimal(confidence="certain"), "field confidence: unknown value 'certain'"),
        (minimal(id=" "), "field id: is empty"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, case: dict[str, Any], words: str) -> None:
    with pytest.raises(CaseFileError) as caught:
        load(tmp_path, case)
    assert str(caught.value).startswith(str(tmp_path / "cases.json"))
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_id_that_is_used_twice(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match="case A: field id: used twice"):
        load(tmp_path, minimal(), minimal())
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.json").write_text(json.dumps([minimal()]), encoding="utf-8")
    load(tmp_path, minimal())
    with pytest.raises(CaseFileError, match=r"used twice \(also in .*cases\.json\)"):
        load_cases([tmp_path])


def test_one_file_named_twice_is_read_once(tmp_path: Path) -> None:
    load(tmp_path, minimal())
    assert len(load_cases([tmp_path, tmp_path / "cases.json"])) == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b"{", "not readable as JSON"),
        ("a.json", b"\xff\xfe", "not UTF-8 text"),
        ("a.json", b'{"cases": [], "cases": []}', "the name 'cases' occurs twice"),
        ("a.json", b'{"cases": [{"id": NaN}]}', "NaN is no JSON value"),
        ("a.json", b'{"cases": []}', "field cases: is empty"),
        ("a.json", b'{"cases": ["\\ud800"]}', "half a surrogate pair"),
        ("a.json", b'{"cases": 1}', "field cases: must be a list, not a number"),
        ("a.json", b"7", "must be an object, not a number"),
        ("a.json", b'{"schema_version": 9, "cases": []}', "field schema_version: 9 is not known"),
        ("a.json", b'{"case": []}', "field case: unknown field. Did you mean cases?"),
        ("a.json", b'{"key_policy": {}, "cases": []}', "field key_policy: does not belong here; key_policies is"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.json", b'{"cases": ' + b"[" * 200 + b"]" * 200 + b"}", "nested too deeply"),
        ("a.yaml", b"cases: [", "not readable as YAML"),
        ("a.yaml", b"a: 1\na: 2", "the name 'a' occurs twice"),
        ("a.yaml", b"[" * 100_000, "nested too deeply"),
        ("a.yaml", b"cases: &a [*a]", "the anchor 'a' contains itself"),
        ("a.yaml", b"cases: !!python/object/apply:os.getcwd []", "not readable as YAML"),
        ("a.yaml", b"cases: !!timestamp 2026-01-01", "a value of type"),
        ("a.yaml", b"true: 1", "a name is no text"),
        ("a.yaml", b"a: \x00", "not readable as YAML"),
        ("a.txt", b"", "not a case file"),
    ],
)
def test_a_file_that_is_no_case_file(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CaseFileError) as caught:
        load_cases([tmp_path / name])
    assert words in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_a_file_that_unfolds_without_end(tmp_path: Path) -> None:
    lines = ["x-0: &l0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x-{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(CaseFileError, match="once its YAML aliases are written out"):
        load_yaml(tmp_path, "\n".join(lines))


def test_missing_paths_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match="no such file or folder"):
        load_cases([tmp_path / "nothing"])
    with pytest.raises(CaseFileError, match="no case file"):
        load_cases([tmp_path])


def test_yaml_keeps_ids_dates_and_yes_as_text(tmp_path: Path) -> None:
    (case,) = load_yaml(
        tmp_path,
        f"""
        cases:
          - id: 010
            action: kms:Decrypt
            key: {{arn: "{KEY}", tags: {{owner: 012345678901, since: 2026-01-01, live: yes, on: true}}}}
            principal: {{type: root, arn: "arn:aws:iam::012345678901:root", account: 012345678901}}
            expect: {{decision: denied}}
        """,
    )
    assert case.id == "010"
    assert case.principal.account == "012345678901"
    assert dict(case.key.tags) == {"owner": "012345678901", "since": "2026-01-01", "live": "yes", "on": "true"}


def test_defaults_fill_in_field_by_field(tmp_path: Path) -> None:
    defaults = {"key": {"arn": KEY, "tags": {"a": "b"}}, "principal": {"type": "iam_user", "arn": USER}}
    bare = {"action": "kms:Decrypt", "expect": {"decision": "denied"}}
    service = {"type": "service", "arn": "logs.amazonaws.com"}
    one, two = load(
        tmp_path,
        {"id": "one", "key": {"state": "Disabled"}, **bare},
        {"id": "two", "principal": service, **bare},
        defaults=defaults,
    )
    assert (one.key.state, one.key.tags, one.principal.arn) == ("Disabled", (("a", "b"),), USER)
    assert (two.principal.kind, two.principal.account) == (PrincipalKind.SERVICE, None)


def test_a_key_arn_brings_its_account_and_region(tmp_path: Path) -> None:
    other = "arn:aws:kms:eu-west-1:444455556666:key/2"
    default = {"arn": KEY, "account": "111122223333", "region": "us-west-2", "state": "Disabled"}
    (case,) = load(tmp_path, minimal(key={"arn": other}), default_key=default)
    assert (case.key.account, case.key.region, case.key.state) == ("444455556666", "eu-west-1", "Disabled")


def test_grants_of_other_keys_say_nothing(tmp_path: Path) -> None:
    grant = {"GrantId": "g", "GranteePrincipal": USER, "Operations": ["Decrypt"], "CreationDate": 1764000000}
    ids = [KEY, KEY.rsplit("/", 1)[1], KEY + "0"]
    (case,) = load(tmp_path, minimal(grants=[{**grant, "GrantId": f"g{n}", "KeyId": key} for n, key in enumerate(ids)]))
    assert [found.grant_id for found in case.key.grants] == ["g0", "g1"]


def test_sessions_keep_their_own_arn_and_that_of_their_user_or_role(tmp_path: Path) -> None:
    federated = {"type": "federated_user", "arn": "arn:aws:sts::111122223333:federated-user/bob", "iam_arn": USER}
    role = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
    session = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s1"
    linked = {"type": "service_linked_role_session", "arn": session, "iam_arn": role}
    one, two = load(tmp_path, minimal(principal=federated), minimal(id="B", principal=linked))
    assert (one.principal.arn, one.principal.iam_arn) == (federated["arn"], USER)
    assert (two.principal.arn, two.principal.iam_arn, two.principal.session_name) == (session, role, "s1")


def test_an_empty_list_of_session_policies_is_none(tmp_path: Path) -> None:
    principal = {"type": "iam_user", "arn": USER, "session_policies": []}
    (case,) = load(tmp_path, minimal(principal=principal))
    assert case.principal.session_policies is None


CONSTRAINT = [
    {"key": "kms:EncryptionContext:Department", "values": ["IT"]},
    {"key": "Department", "values": "IT"},
    {"key": "department", "values": ["IT"]},
    {"key": "kms:EncryptionContext", "values": ["Department=IT"]},
    {"key": "EncryptionContextSubset", "values": [{"Department": "IT"}]},
    {"key": None, "values": {"Department": "IT"}},
    {"values": {"Department": "IT"}},
    {"key": "EncryptionContext:Department", "values": "IT"},
    {"key": "Constraints.EncryptionContextSubset", "values": ["Department=IT"]},
    {"key": "GrantEncryptionContextSubset", "values": ["Department:IT"]},
    {"key": "kms:EncryptionContext", "values": [["Department", "IT"]]},
    {"key": "kms:EncryptionContext", "values": [{"key": "Department", "value": "IT"}]},
    {"key": "kms:EncryptionContext", "values": '{"Department": "IT"}'},
]


@pytest.mark.parametrize("cond", CONSTRAINT)
def test_grant_constraints_in_every_spelling(tmp_path: Path, cond: dict[str, Any]) -> None:
    grant = {"GrantId": "g", "GranteePrincipal": USER, "Operations": ["Decrypt"]}
    grant["Constraints"] = {"EncryptionContextSubset": {"Department": "IT"}}
    wanted = {"cond": {"operator": "GrantEncryptionContextSubset", **cond}}
    (case,) = load(tmp_path, minimal(grants=[grant], expect={"decision": "conditional", "residual": wanted}))
    assert run_case(case).passed
    other = {"cond": {"operator": "GrantEncryptionContextSubset", "key": "Department", "values": ["HR"]}}
    (case,) = load(tmp_path, minimal(grants=[grant], expect={"decision": "conditional", "residual": other}))
    assert not run_case(case).passed


def test_unread_facts_reach_their_owners(tmp_path: Path) -> None:
    paths = {"111122223333": "o-1/r-1/ou-1/"}
    (case,) = load(
        tmp_path,
        minimal(unread=["grants", "boundary", "scp", "rcp"], organization={**ORG, "paths": paths}),
    )
    assert case.key.unread == {Fact.GRANTS}
    assert case.principal.unread == {Fact.BOUNDARY}
    assert case.surroundings.organization is not None
    levels = case.surroundings.organization.levels("111122223333")
    assert levels is not None
    assert [level.id for level in levels] == ["r-1", "ou-1", "111122223333"]
    assert all(level.unread == {Fact.SCP, Fact.RCP} for level in levels)
    assert case.surroundings.organization.path("111122223333") == "o-1/r-1/ou-1/"


def test_levels_without_an_entry_have_the_full_access_policies(tmp_path: Path) -> None:
    paths = {"111122223333": "o-1/r-1/ou-1/", "444455556666": "o-1/r-1/"}
    scps = {"111122223333": [[FULL], "unread", [FULL, FULL]]}
    (case,) = load(tmp_path, minimal(organization={**ORG, "paths": paths, "scps": scps, "rcps": "disabled"}))
    organization = case.surroundings.organization
    assert organization is not None
    found = {target.id: len(target.scps or ()) for target in organization.targets}
    assert found == {"r-1": 1, "ou-1": 0, "111122223333": 2, "444455556666": 1, "999900001111": 1}
    assert [t.id for t in organization.targets if t.unread] == ["ou-1"]
    assert all(target.rcps is None for target in organization.targets)


def test_more_levels_than_the_path_has(tmp_path: Path) -> None:
    scps = {"111122223333": [[FULL], [FULL], [FULL], [FULL]]}
    (case,) = load(tmp_path, minimal(organization={**ORG, "scps": scps}))
    assert case.surroundings.organization is not None
    levels = case.surroundings.organization.levels("111122223333")
    assert levels is not None
    assert len(levels) == 4


def test_annotations_are_named_once_for_each_file_and_name(tmp_path: Path) -> None:
    noted = [minimal(reviewer="x", id=name) for name in ("A", "B", "C")]
    load(tmp_path, *noted, generated_from={"tool": 1}, notes=["all"])
    file = tmp_path / "cases.json"
    assert read_cases([file]).ignored == (
        f"{file}: field generated_from is not known and plays no part.",
        f"{file}: field notes is not known and plays no part.",
        f"{file}: case A and 2 more: field reviewer is not known and plays no part.",
    )


def test_a_constraint_that_is_no_json_after_all_is_a_text(tmp_path: Path) -> None:
    deep = '{"a":' * 20_000
    cond = {"operator": "GrantEncryptionContextSubset", "key": "Department", "values": [deep]}
    (case,) = load(tmp_path, minimal(expect={"decision": "conditional", "residual": {"cond": cond}}))
    assert not run_case(case).passed
