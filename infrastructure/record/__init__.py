"""The record: events and their places in the tamper-evident log, in one transaction."""
