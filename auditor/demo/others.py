"""Account ids of parties outside the fictional organization. All are numbers that AWS uses in its own examples."""

from __future__ import annotations

PAYMENT_PARTNER = "444455556666"
"""A registered partner that settles card payments."""

FORMER_PARTNER = "555566667777"
"""A partner whose contract has ended."""

STRANGER = "999988887777"
"""Nobody knows whose account this is."""

MONITORING_VENDOR = "777788889999"
"""A vendor that watches costs for many customers."""
