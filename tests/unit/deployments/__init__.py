"""Who may apply for, authorise, start, stop and close a deployment."""
