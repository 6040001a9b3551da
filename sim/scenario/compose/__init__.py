"""Compose files as people have them: read as Compose reads them, and made into what a scenario can hold.

Models: what each module here says. Leaves out what a stack does then. Source: Compose specification; compose-go 2.
"""
