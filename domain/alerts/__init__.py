"""A possible match: raised by the machine, viewed and adjudicated by a person."""
