"""Requests, complaints and breaches."""
