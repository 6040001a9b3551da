"""Calibration: measured phases in, a latency profile out (`shimulator calibrate`). Source: docs/calibrate.md."""
