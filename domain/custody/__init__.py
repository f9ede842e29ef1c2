"""Every item of personal data: registered, sealed, consulted, destroyed, re-checked."""
