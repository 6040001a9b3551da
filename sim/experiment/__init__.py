"""Many runs of one scenario: metrics, replications, paired what-ifs, verdicts over seeds.

Models nothing of its own: it runs, measures and compares. Leaves out what is shown; `sim.render` does that.
"""
