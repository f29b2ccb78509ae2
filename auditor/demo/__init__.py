"""The demonstration: a fictional organization in an embedded moto server, so that a whole run needs no AWS account.

``demo_organization()`` starts the server on loopback, fills it through boto3 and yields a ``DemoOrganization``. This
room only builds; the audit itself reads the organization over HTTP like any other. Nothing here touches AWS or the
credentials of the person who runs it.
"""

from __future__ import annotations

from auditor.demo.organization import DemoOrganization, demo_organization

__all__ = ["DemoOrganization", "demo_organization"]
