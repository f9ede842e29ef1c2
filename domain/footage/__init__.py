"""Footage: what the cameras of a deployment recorded, segment by segment."""
