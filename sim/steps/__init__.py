"""Words of steps, one module each, beside those that `sim.scenario` reads itself. A module here offers `WORD`."""
