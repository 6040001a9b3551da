"""`python -m sim` is the same as the command `shimulator`."""

import sys

from sim.cli import main

sys.exit(main())
