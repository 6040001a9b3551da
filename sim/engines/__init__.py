"""Engines, a room each: its programs, its designs, and all that is true of it alone.

A module here that has a `FAMILY` is an engine (`sim.parts`); the others hold what several engines run.
"""
