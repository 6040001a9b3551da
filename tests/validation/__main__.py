"""Write docs/validation.md: `make validation`. The profile of the measurements is made anew first."""

from __future__ import annotations

import sys

from tests.validation.page import PAGE, PROFILE, page, profile_anew


def main() -> int:
    """Write both files, and say how far it is."""
    PROFILE.write_text(profile_anew(), encoding="utf-8")
    print(f"{PROFILE.name}: made of measurements/*.csv", file=sys.stderr)
    text = page(lambda words: print(f"… {words}", file=sys.stderr))
    PAGE.write_text(text, encoding="utf-8")
    print(f"{PAGE.relative_to(PAGE.parents[1])}: {text.count('| ')} fields")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
