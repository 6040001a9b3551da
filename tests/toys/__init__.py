"""Toys: an engine, a fault, a view and a word of steps that are no part of sim, each in one file."""
