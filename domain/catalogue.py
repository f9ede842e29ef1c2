"""Every event class, imported once, so that a fresh process can read any record."""

import domain.alerts.events
import domain.arrests.events
import domain.copies.events
import domain.custody.events
import domain.deployments.events
import domain.engagements.events
import domain.footage.events
import domain.governance.events
import domain.holds.events
import domain.kernel.repeats
import domain.log.events
import domain.notice.events
import domain.publication.events
import domain.rights.events
import domain.sightings.events
import domain.sightings.seeding
import domain.watchlists.events  # noqa: F401
from domain.kernel.events import event_classes

EVENTS = event_classes()
"""Stored name to class. A name is never removed, and never given to another class."""
