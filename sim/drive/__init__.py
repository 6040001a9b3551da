"""Drivers choose among the enabled actions: by racing clocks (`timed`), or all of them (`explore`)."""
