"""An entry as a CloudEvent, for programs that read those.

The envelope repeats what the entry says; ``data`` is the entry itself, byte for byte as it was
hashed. The whole is canonical JSON, so that one entry has one line, and a verifier compares lines.

Source: CloudEvents 1.0, JSON event format; RFC 8785.
"""

from __future__ import annotations

from domain.assurance.entries import Entry, canonical

MEDIA_TYPE = "application/json"


def cloud_event(entry: Entry) -> bytes:
    """The line of an entry, without its newline.

    ``source`` and ``id`` (log and position) name the event among all there are; ``type`` is its
    stored name, ``subject`` its stream, ``time`` when it happened.
    """
    envelope = canonical(
        {
            "datacontenttype": MEDIA_TYPE,
            "id": str(entry.pos),
            "source": entry.log,
            "specversion": "1.0",
            "subject": entry.stream,
            "time": entry.occurred_at,
            "type": entry.name,
        }
    )
    # "data" comes before every other attribute in the order of the keys
    return b'{"data":' + entry.raw + b"," + envelope[1:]
