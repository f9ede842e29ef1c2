"""Who is sought at a deployment, and why: criteria, entries, seal, approval."""
