"""What runs code of somebody's choice under a role: which services do, and which actions make them (public catalogues
of privilege escalation in AWS; the services' own authorization pages name the actions).

Services that only call what they are told to, and show nobody what comes back (EventBridge, Scheduler), are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.principal import Principal

Ways = tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
"""Service that the role trusts → alternatives, each the actions that it takes together."""
INSTANCES = "ec2.amazonaws.com"
ROLES_ANYWHERE = "rolesanywhere.amazonaws.com"
"""Roles that trust it most often name the anchor, in ``aws:SourceArn``: another one does not help then."""
ADD_TO_PROFILE = "iam:AddRoleToInstanceProfile"
STARTED: Ways = (
    ("lambda.amazonaws.com", (("lambda:CreateFunction",),)),
    (
        INSTANCES,
        (
            ("ec2:RunInstances",),
            ("ec2:RequestSpotInstances",),
            ("autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup"),
            ("elasticmapreduce:RunJobFlow",),
        ),
    ),
    (
        "ecs-tasks.amazonaws.com",
        (
            ("ecs:RegisterTaskDefinition", "ecs:RunTask"),
            ("ecs:RegisterTaskDefinition", "ecs:StartTask"),
            ("ecs:RegisterTaskDefinition", "ecs:CreateService"),
            ("batch:RegisterJobDefinition", "batch:SubmitJob"),
        ),
    ),
    (
        "glue.amazonaws.com",
        (("glue:CreateJob",), ("glue:CreateDevEndpoint",), ("glue:CreateSession", "glue:RunStatement")),
    ),
    ("codebuild.amazonaws.com", (("codebuild:CreateProject",),)),
    (
        "sagemaker.amazonaws.com",
        (("sagemaker:CreateNotebookInstance",), ("sagemaker:CreateTrainingJob",), ("sagemaker:CreateProcessingJob",)),
    ),
    (
        "cloudformation.amazonaws.com",
        (("cloudformation:CreateStack",), ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet")),
    ),
    ("ssm.amazonaws.com", (("ssm:StartAutomationExecution",),)),
    ("states.amazonaws.com", (("states:CreateStateMachine", "states:StartExecution"),)),
    ("tasks.apprunner.amazonaws.com", (("apprunner:CreateService",),)),
    ("emr-serverless.amazonaws.com", (("emr-serverless:CreateApplication", "emr-serverless:StartJobRun"),)),
    ("airflow-env.amazonaws.com", (("airflow:CreateEnvironment",),)),
    ("kinesisanalytics.amazonaws.com", (("kinesisanalytics:CreateApplication", "kinesisanalytics:StartApplication"),)),
    (ROLES_ANYWHERE, (("rolesanywhere:CreateTrustAnchor", "rolesanywhere:CreateProfile"),)),
    (
        "datapipeline.amazonaws.com",
        (("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"),),
    ),
    (
        "bedrock-agentcore.amazonaws.com",
        (
            (
                "bedrock-agentcore:CreateCodeInterpreter",
                "bedrock-agentcore:StartCodeInterpreterSession",
                "bedrock-agentcore:InvokeCodeInterpreter",
            ),
        ),
    ),
)
"""What somebody starts under a role that they may pass."""
LENT: Ways = (
    (INSTANCES, (("ec2:AssociateIamInstanceProfile",), ("ec2:ReplaceIamInstanceProfileAssociation",))),
    ("lambda.amazonaws.com", (("lambda:UpdateFunctionConfiguration",),)),
    ("ecs-tasks.amazonaws.com", (("ecs:RunTask",), ("ecs:RegisterTaskDefinition", "ecs:UpdateService"))),
    ("glue.amazonaws.com", (("glue:UpdateJob",),)),
    ("codebuild.amazonaws.com", (("codebuild:UpdateProject",),)),
    ("pods.eks.amazonaws.com", (("eks:CreatePodIdentityAssociation",),)),
)
"""What is there already, and is given a role that they may pass."""
TAKEN_OVER: Ways = (
    ("lambda.amazonaws.com", (("lambda:UpdateFunctionCode",), ("lambda:UpdateFunctionConfiguration",))),
    (
        INSTANCES,
        (
            ("ssm:SendCommand",),
            ("ssm:StartSession",),
            ("ssm:CreateAssociation",),
            ("ec2-instance-connect:SendSSHPublicKey",),
            ("ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"),
            ("elasticmapreduce:AddJobFlowSteps",),
        ),
    ),
    ("ecs-tasks.amazonaws.com", (("ecs:ExecuteCommand",),)),
    ("codebuild.amazonaws.com", (("codebuild:StartBuild",), ("codebuild:StartBuildBatch",))),
    (
        "cloudformation.amazonaws.com",
        (("cloudformation:UpdateStack",), ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet")),
    ),
    (
        "sagemaker.amazonaws.com",
        (
            ("sagemaker:CreatePresignedNotebookInstanceUrl",),
            ("sagemaker:CreatePresignedDomainUrl",),
            ("sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstance"),
        ),
    ),
    ("states.amazonaws.com", (("states:UpdateStateMachine",),)),
    ("tasks.apprunner.amazonaws.com", (("apprunner:UpdateService",),)),
    (
        "bedrock-agentcore.amazonaws.com",
        (("bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"),),
    ),
)
"""What runs under the role already, and does what they say. Sessions and development endpoints of Glue are left out:
they are rare, and every Glue role that has AWS's policy for it could enter them."""
FIRST = frozenset(actions[0] for _, found in TAKEN_OVER for actions in found)
"""The actions without one of which nobody takes over anything."""


@dataclass(frozen=True, slots=True)
class Handed:
    """Actions that together run something under a role that is passed to ``service``."""

    service: str
    actions: tuple[str, ...]


def handed(ways: Ways, role: Principal, services: frozenset[str]) -> Iterator[Handed]:
    """The alternatives of a table for a role that trusts ``services``; of a role whose trust nobody read, all. A role
    without an instance profile is put into one first."""
    for service, found in ways:
        if service in services or role.trust_policy is None:
            more = (ADD_TO_PROFILE,) if service == INSTANCES and not role.instance_profiles else ()
            yield from (Handed(service, (*actions, *more)) for actions in found)


def taken_over(role: Principal, services: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """The alternatives by which something that runs under the role already does what somebody says."""
    for service, found in TAKEN_OVER:
        if service in services and (service != INSTANCES or role.instance_profiles):
            yield from found
