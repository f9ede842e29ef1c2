"""Reading a history as a person would: chosen entries, states as they were, reasons."""
