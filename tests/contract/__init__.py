"""Promises that every store and every implementation of a port must keep."""
