"""Resources of other services that KMS keys encrypt, and what each names as its key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.key import Tags
from auditor.model.policy import Policy


class Encryption(StrEnum):
    """How a service encrypts what it stores in a resource."""

    KMS = "kms"
    SERVICE_OWNED = "service-owned"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource that holds data.

    ``kind`` is its CloudFormation type (``AWS::S3::Bucket``). ``key`` is what it names as its KMS key: an id, an ARN,
    an alias or the ARN of one; where a service takes its AWS managed key unless told otherwise, the alias of that key.
    ``encryption`` or ``tags`` None: could not be read. ``policy`` is its resource policy, None for none;
    ``policy_read`` False: whether there is one is not known, or the kind has none that is read.
    """

    arn: str
    kind: str
    account: str
    region: str
    encryption: Encryption | None = None
    key: str | None = None
    tags: Tags | None = None
    policy: Policy | None = None
    policy_read: bool = False

    def tag_values(self, name: str) -> tuple[str, ...]:
        """The values of all tags that are ``name`` without regard to case."""
        lowered = name.lower()
        return tuple(dict.fromkeys(value for key, value in self.tags or () if key.lower() == lowered))
