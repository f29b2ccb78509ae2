"""Creates IAM policies, providers, roles, groups and users."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from auditor.demo.parts import DemoGroup, DemoRole, DemoUser, Document, Identities, Tags

IamOf = Callable[[str], Any]
"""account name → an IAM client there."""

ArnOf = dict[tuple[str, str], str]
"""(account name, policy name) → ARN."""


def create_identities(iam_of: IamOf, identities: Identities) -> None:
    """Makes everything, policies first because the others refer to them."""
    arns: ArnOf = {}
    for policy in identities.policies:
        answer = iam_of(policy.account).create_policy(PolicyName=policy.name, PolicyDocument=_text(policy.document))
        arns[policy.account, policy.name] = answer["Policy"]["Arn"]
    for provider in identities.providers:
        iam_of(provider.account).create_open_id_connect_provider(
            Url=provider.url, ClientIDList=list(provider.client_ids), ThumbprintList=["0" * 40]
        )
    for role in identities.roles:
        _create_role(iam_of(role.account), role, arns)
    for group in identities.groups:
        _create_group(iam_of(group.account), group, arns)
    for user in identities.users:
        _create_user(iam_of(user.account), user, arns)
    for account, service in identities.service_linked:
        iam_of(account).create_service_linked_role(AWSServiceName=service)


def _create_role(iam: Any, role: DemoRole, arns: ArnOf) -> None:
    boundary = {"PermissionsBoundary": arns[role.account, role.boundary]} if role.boundary else {}
    iam.create_role(
        RoleName=role.name,
        Path=role.path,
        AssumeRolePolicyDocument=_text(role.trust),
        Tags=_tags(role.tags),
        **boundary,
    )
    for name, body in role.inline.items():
        iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=_text(body))
    for name in role.managed:
        iam.attach_role_policy(RoleName=role.name, PolicyArn=arns[role.account, name])


def _create_group(iam: Any, group: DemoGroup, arns: ArnOf) -> None:
    iam.create_group(GroupName=group.name)
    for name, body in group.inline.items():
        iam.put_group_policy(GroupName=group.name, PolicyName=name, PolicyDocument=_text(body))
    for name in group.managed:
        iam.attach_group_policy(GroupName=group.name, PolicyArn=arns[group.account, name])


def _create_user(iam: Any, user: DemoUser, arns: ArnOf) -> None:
    iam.create_user(UserName=user.name, Tags=_tags(user.tags))
    for group in user.groups:
        iam.add_user_to_group(GroupName=group, UserName=user.name)
    for name, body in user.inline.items():
        iam.put_user_policy(UserName=user.name, PolicyName=name, PolicyDocument=_text(body))
    for name in user.managed:
        iam.attach_user_policy(UserName=user.name, PolicyArn=arns[user.account, name])
    if user.access_key:
        iam.create_access_key(UserName=user.name)
    if user.password:
        iam.create_login_profile(UserName=user.name, Password="Fictional-1-password")  # noqa: S106 - fictional


def _text(document: Document) -> str:
    return json.dumps(document)


def _tags(tags: Tags) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in tags]
