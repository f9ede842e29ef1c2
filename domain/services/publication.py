"""Publishing the record of a deployment: only once it is complete, and never silently anew."""

from __future__ import annotations

from domain.deployments.aggregate import Deployment
from domain.figures.deployment_record import counted
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.publication.aggregate import Publication, publication_of
from domain.publication.commands import PublishRecord
from domain.services.carrying_out import carry_out


def publish(outside: Outside, command: PublishRecord) -> Publication | Refused:
    """Take down that the record of a deployment is published.

    Raises:
        NotFoundError: there is no such deployment.
    """
    stream = publication_of(command.deployment)

    def attempt() -> Publication | Refused:
        deployment = outside.record.load(Deployment, command.deployment)
        record = counted(deployment.id, outside.record.history(deployment.id.hex), {})
        try:
            found = outside.record.load(Publication, stream)
        except NotFoundError:
            found = Publication(stream)
        if refused := found.decide(command, unfit=record.unfit, entries=record.entries):
            return refused
        given = {deployment.id: deployment.version}
        outside.record.append(found, by=command, given=given, answers=True)
        return found

    return carry_out(outside, command, attempt, kind=Publication, of=stream)
