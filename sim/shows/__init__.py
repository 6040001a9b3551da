"""Views, one module for each family, that are of no engine's command. A module here offers `VIEWS` (`sim.parts`)."""
