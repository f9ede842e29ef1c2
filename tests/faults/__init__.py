"""Kills, full disks and interruptions: what was answered holds, what was not can be repeated."""
