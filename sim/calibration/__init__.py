"""Calibration: measured phases in, a latency profile out (`shimsim calibrate`). Source: docs/calibrate.md."""
