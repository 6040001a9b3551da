"""Choose how Hypothesis draws: the same examples every time in CI, new ones on a developer's machine.

HYPOTHESIS_PROFILE=ci or =dev overrides. No deadline: how long an example takes says more of the
machine than of the code.
"""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))
