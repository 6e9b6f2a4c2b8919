"""Meters that take turns on sessions, and a record of the machine they ran on."""
