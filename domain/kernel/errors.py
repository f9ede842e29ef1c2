"""Errors by whose fault they are. A rule that says no is not among them: see ``refusals``."""


class DomainError(Exception):
    """The request cannot be understood or names nothing. The caller can mend it."""


class NotFoundError(DomainError):
    """Nothing of that kind has this reference."""


class UnavailableError(DomainError):
    """A database did not take or give what was asked. Nothing was changed; ask again later."""


class ConflictError(Exception):
    """Someone else wrote first. The service retries from the start, a bounded number of times."""


class RecordBrokenError(Exception):
    """The record contradicts itself. Stop, alarm, change nothing."""
