"""The explorer."""
from sim.drive.explore.paths import *
from sim.drive.explore.paths import _keep
from sim.drive.explore.paths import COMPLETE, SOUND_IF, Exploration, Path, begin, choices, explore, first, is_timer, replay
