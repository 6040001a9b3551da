"""Write docs/validation.md and sim/measured.py: `make validation`. The page is of the profile that is there.

A changed profile is that of the next run: the module is written first, and the page is made in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys

from tests.validation.bundled import MODULE
from tests.validation.page import PAGE, module_anew, page


def main(words: list[str]) -> int:
    """Write both files, and say how far it is."""
    if words != ["--page"]:
        MODULE.write_text(module_anew(), encoding="utf-8")
        print(f"{MODULE.name}: made of docs/measurements/*.csv", file=sys.stderr)
        return subprocess.run([sys.executable, "-m", "tests.validation", "--page"], check=False).returncode
    text = page(lambda words: print(f"… {words}", file=sys.stderr))
    PAGE.write_text(text, encoding="utf-8")
    print(f"{PAGE.relative_to(PAGE.parents[1])}: {text.count('| ')} fields")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
