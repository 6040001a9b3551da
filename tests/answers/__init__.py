"""docs/answers.md: what operators ask, answered by the model where it can.

`make answers` runs every question's commands, as a user would paste them, and puts their figures into sentences and
tables; nothing in an answer is written by hand but what is asked, what a figure is called, and what is left out.
Source: the 25 questions of designs §10.
"""
