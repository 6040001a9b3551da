"""Simulate the processes of a container engine; `ARCHITECTURE.md` says how, `python -m sim` runs it."""

__version__ = "0.1.0"
