"""Pure: who could give themselves access to keys that they do not have, as routes of named steps.

Routes warn of what could be: a condition on a step in IAM is taken as met unless the facts rule it out, and what could
not be read opens no route. Access itself is the evaluator's word.
"""

from __future__ import annotations

from auditor.escalation.asking import routes_from, routes_to
from auditor.escalation.route import Route, RouteKind, in_order

__all__ = ["Route", "RouteKind", "in_order", "routes_from", "routes_to"]
