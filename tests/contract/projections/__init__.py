"""Read models over every store: incremental, interrupted and rebuilt alike."""
