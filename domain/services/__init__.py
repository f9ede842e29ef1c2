"""One function per command: read, decide, append; and only then let anything take effect."""
