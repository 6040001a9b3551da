"""How a scenario or a profile is written as YAML: no anchors, and fractions with the digits that were read.

Source: PyYAML's representers.
"""

from __future__ import annotations

import yaml


class Dumper(yaml.SafeDumper):
    """A dumper that writes equal values twice instead of naming them."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def fraction(dumper: Dumper, value: float) -> yaml.ScalarNode:
    """Write a fraction with the digits that it was read with."""
    return dumper.represent_scalar("tag:yaml.org,2002:float", str(value))


Dumper.add_multi_representer(float, fraction)
