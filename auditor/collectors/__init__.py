"""The room that talks to AWS: reads facts, turns refusals into gaps, hands shards to a sink. Changes nothing in AWS.

``collect(request, sink, progress)`` runs one collection and returns its Provenance (without the content hash, which
the sink knows). ``permissions`` makes the policy that it takes. boto3 is imported when a collection starts.
"""

from __future__ import annotations

from auditor.collectors.request import CollectRequest, NoProgress, Progress, ShardSink, Tally
from auditor.collectors.run import collect

__all__ = ["CollectRequest", "NoProgress", "Progress", "ShardSink", "Tally", "collect"]
