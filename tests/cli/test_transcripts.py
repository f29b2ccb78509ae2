"""Commands and what they print, word for word: each file in ``transcripts/`` is a session of a user.

``$ kms-audit …`` is a command, ``! `` a line of stderr, ``[exit 3]`` an exit code other than 0, all else stdout. To add
a command, write its line; ``WRITE_TRANSCRIPTS=1 pytest tests/cli/test_transcripts.py`` fills in what it prints. Read
the difference before you commit it.
"""

from __future__ import annotations

import difflib
import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.audit import Auditor
from auditor.model.grant import Grant
from auditor.model.key import Fact, Key
from auditor.model.organization import Organization
from auditor.model.policy import Layer
from auditor.model.snapshot import Gap, Snapshot
from auditor.report import write_result
from tests.cli.conftest import Answer
from tests.report.estates import attached
from tests.report.varied import ALICE, BATCH, HOME, ORDERS, arn, varied

FOLDER = Path(__file__).parent / "transcripts"
FILES = Path(__file__).parent / "transcripts" / "files"
PROMPT = "$ kms-audit "


def _now() -> Snapshot:
    """The varied snapshot with a route to access and an active user."""
    found = varied().snapshot
    own = {"Sid": "Own", "Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": BATCH}
    elsewhere = {"Sid": "Elsewhere", "Effect": "Allow", "Action": "kms:*", "Resource": arn(4)}
    bare = {"Sid": "Bare", "Action": "kms:*", "Resource": "*"}
    more = attached(Layer.IDENTITY, "own", BATCH, own, elsewhere, bare)
    batch, blind, alice = found.principals
    ceiling = attached(
        Layer.BOUNDARY,
        "Ceiling",
        ALICE,
        {"Sid": "Limit", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:ScheduleKeyDeletion"], "Resource": "*"},
        {"Sid": "Other", "Effect": "Allow", "Action": "kms:*", "Resource": arn(1)},
    )
    alice = replace(alice, boundary=ceiling, last_used="2026-11-20T00:00:00Z")
    batch = replace(batch, identity_policies=(*batch.identity_policies, more), unique_id="AROA11111111111111111")
    keys = (*found.keys[:-1], replace(found.keys[-1], grants=_held_by_nobody_known()))
    return replace(found, principals=(batch, blind, alice), organization=_guarded(found), keys=keys)


def _held_by_nobody_known() -> tuple[Grant, ...]:
    """Grants of a role that was deleted, and of AWS's own infrastructure."""
    volume = f"arn:aws:sts::{HOME}:assumed-role/aws:ec2-infrastructure/i-0123456789abcdef0"
    made = {"key_arn": arn(4), "created": "2025-11-24T08:00:00Z", "operations": ("Decrypt",)}
    holders = {"grant-4": "AROA99999999999999999", "grant-5": volume, "grant-6": f"arn:aws:iam::{HOME}:role/gone"}
    return tuple(Grant(grant_id=name, grantee=holder, **made) for name, holder in holders.items())  # type: ignore[arg-type]


def _guarded(found: Snapshot) -> Organization:
    """The organization with an RCP that does not concern everybody, and an SCP that concerns one Region."""
    assert found.organization is not None
    every = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    foreign = {"StringNotEqualsIfExists": {"aws:PrincipalAccount": HOME}}
    outsiders = {**every, "Sid": "Outsiders", "Effect": "Deny", "Action": "kms:Encrypt", "Condition": foreign}
    abroad = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}
    region = {"Sid": "Region", "Effect": "Deny", "Action": "kms:*", "Resource": "*", "Condition": abroad}
    home, root = found.organization.targets
    rcps = (attached(Layer.RCP, "RCPFullAWSAccess", HOME, every), attached(Layer.RCP, "Ours", HOME, outsiders))
    home = replace(home, rcps=rcps)
    root = replace(root, scps=(*(root.scps or ()), attached(Layer.SCP, "Regions", "r", region)))
    return replace(found.organization, targets=(home, root))


def _then() -> Snapshot:
    """What it was before: fewer statements and grants, another alias, a caller and a key that are gone now, no gap."""
    now = _now()
    batch, _, alice = now.principals
    gone = replace(alice, arn=f"{ALICE}-gone", iam_arn=f"{ALICE}-gone", name="alice-gone")
    keys = tuple(_before(key) for key in now.keys if not key.arn.endswith("0004-0000-4000-8000-000000000000"))
    finished = replace(now.provenance, finished="2026-10-24T07:00:00Z", content_hash="12" * 32)
    lost = Gap(fact=Fact.TAGS, account=HOME, subject=ORDERS, operation="kms:ListResourceTags", code="AccessDenied")
    return replace(now, keys=keys, principals=(batch, alice, gone), gaps=(lost,), provenance=finished)


def _before(key: Key) -> Key:
    if key.arn != ORDERS:
        return key
    root = {"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "kms:*", "Resource": "*"}
    old = Grant(grant_id="grant-0", key_arn=ORDERS, grantee=BATCH, operations=("Verify", "ReEncryptFrom"))
    policy = attached(Layer.KEY_POLICY, "default", ORDERS, root)
    return replace(key, policies=(policy,), grants=(*key.grants[1:], old), tags=key.tags[:1], aliases=key.aliases[1:])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the snapshots ``now`` and ``then`` and the files that commands name."""
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    found = {"now": _now(), "then": _then()}
    for name in found:
        (tmp_path / name).mkdir()
    (tmp_path / "result.json").write_bytes(write_result(varied()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Auditor, "load", lambda self, folder, known=None: found[Path(folder).name])
    return tmp_path


def _session(text: str, ask: Callable[..., Answer]) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith(("# ", PROMPT)):
            yield f"{line}\n"
        if line.startswith(PROMPT):
            answer = ask(*shlex.split(line.removeprefix(PROMPT)))
            yield from (f"! {told}\n" for told in answer.err.splitlines())
            yield answer.out if not answer.out or answer.out.endswith("\n") else f"{answer.out}\n"
            yield f"[exit {answer.code}]\n\n" if answer.code else "\n"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.txt")))
def test_commands_print_what_they_printed(name: str, ask: Callable[..., Answer]) -> None:
    place = FOLDER / f"{name}.txt"
    expected = place.read_text(encoding="utf-8")
    found = "".join(_session(expected, ask))
    if os.environ.get("WRITE_TRANSCRIPTS"):
        place.write_text(found, encoding="utf-8")
        return
    difference = "\n".join(difflib.unified_diff(expected.splitlines(), found.splitlines(), lineterm="", n=1))
    assert found == expected, f"{difference}\nif that is right: WRITE_TRANSCRIPTS=1 pytest {Path(__file__).name}"
