# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 One fault, every moment
#
# Testing an engine by killing things has a weak point: *when*? One kill a second earlier, and nothing happens; one
# microsecond later, and a container is lost. This notebook takes one container, one fault, and every moment at
# which that fault can come.
#
# A *run* takes one order of events, the one that times and dice give. An *exploration* takes every order, and notes
# what breaks. It has no clock: it knows what may happen next, and tries each.
#
# Marks in brackets say how a fact is known: [S] read in the engine's source, [I] reported in an issue. "§24" is a
# section of the facts about engine 1.13; V1 to V25 are its invariants, and T1 to T56 rows of its table of
# transitions.

# %%
import sim

# %% [markdown]
# ## 1. By hand
#
# `docker stop web`, and containerd is killed during it.

# %%
guess = sim.run("""
title: a stop, and containerd is killed during it
services: {web: {image: nginx}}
steps:
  - {id: stop, at: 60s, docker: stop web}
  - {id: kill, at: stop+50ms, kill: containerd}
until: stop+40s
""")
guess.tell()

# %% [markdown]
# The stop succeeds, and the container is over. It takes a while longer than usual, since somebody has to start a
# new containerd first. Try other moments:

# %%
print(guess.again("steps.1.at=stop+150ms").show("docker-ps-a"))
print(guess.again("steps.1.at=stop+190ms").show("docker-ps-a"))
print(guess.again("steps.1.at=stop+205ms").show("docker-ps-a"))
print(guess.again("steps.1.at=stop+210ms").show("docker-ps-a"))

# %% [markdown]
# Always well. Is it *always* well?
#
# ## 2. Every moment
#
# The same container and the same stop. `faults="kill=1"`: one process of the host is killed, anyone but PID 1, at
# any moment. Three questions:
#
# - V12: when `docker stop` succeeds, the container does not run and is not said to.
# - V7: the exit code that is told is the real one.
# - V6: in the end no payload has outlived its shim.

# %%
stop = sim.explore(
    """
title: a stop
services: {web: {image: nginx}}
steps: [{id: stop, docker: stop web}]
until: 60s
""",
    "V12",
    "V7",
    "V6",
    faults="kill=1",
)
stop

# %% [markdown]
# Two of three are violated. COMPLETE says that no order within the bound was left out: a state is who lives, what
# each program remembers and where it stands, and these are all there are.
#
# ## 3. The story
#
# For each violation there is a shortest story found. In V12's, look for `step fault1`: the shim has left, and
# containerd is about to report the exit.

# %%
stop.story("V12")

# %% [markdown]
# The kill falls between two steps of containerd: it has removed the container's folder, and has not yet sent the
# exit event. The new containerd finds no folder, so it knows nothing of the container. dockerd waits for an event
# that nobody will send. After ten seconds it tries KILL and hears "container not found"; after ten more it reports
# success (§3.2 [S]). Users have reported it: docker/for-linux#1, moby#24985 [I].
#
# Why did no time in section 1 hit it? In a timed run both steps of containerd fall into one microsecond. On a real
# host the window is short, too. It is hit by whoever has many hosts.
#
# ## 4. The story as a run
#
# `run` goes the way of the story, with times. Now it can be looked at like any other run.

# %%
ghost = stop.run("V12")
ghost

# %% [markdown]
# *Figure 1. `docker stop` came first, the payload left 0.1 s later, and containerd was killed in the moment that
# counts. Nothing is left that runs.*

# %%
ghost.trees("stop-1s", "end")

# %% [markdown]
# *Figure 2. Before the stop, and at the end: no shim, no payload.*
#
# But the engine says:

# %%
ghost.show("docker-ps")

# %% [markdown]
# A ghost. It cannot be stopped, for nobody is there; it cannot be started, for it "runs". Only a restart of dockerd
# clears it (T14, T34).
#
# The other violation, V7, is a kill of the shim between the payload's exit and the note of its code. Nobody knows
# the code any more:

# %%
stop.run("V7").tell()

# %% [markdown]
# ## 5. What HOLDS means
#
# V6 holds: whatever single process is killed, and whenever, in the end no payload has outlived its shim. That is
# more than any number of tests can say. But it is said of the *model*, and within the bound that stands below the
# table of section 2: one kill, of this one container, in this one stop. A wider bound is another question. For one
# process that is *stopped* for a while instead of killed:

# %%
stall = sim.explore(stop.scenario, "V12", "V7", "V6", faults="stall=1")
stall

# %% [markdown]
# V7 holds now: nothing is lost by waiting. V12 does not: a shim that stands still reports nothing, and after two
# times ten seconds dockerd says that the stop has succeeded.

# %%
stall.run("V12").trees("stop-1s", "end")

# %% [markdown]
# *Figure 3. The payload is dead. Its shim is stopped, so nobody has been told.*
#
# ## 6. A quiet host
#
# No stop, no command at all: one container that should always run, one published port, one kill.

# %%
quiet = """
title: a quiet host
services: {web: {image: nginx, ports: ["80:80"], restart: always}}
"""
sim.explore(quiet, "V3", "V5", "V8", "V10", "V16", faults="kill=1")

# %% [markdown]
# "In the end it runs again" (V10) holds for any one kill at any moment. That shims are containerd's children (V5)
# and each port has its proxy (V8) does not: these are the sentences 7 and 12 of notebook 01, as laws.
#
# ## 7. A sentence of your own
#
# `always`, `sometimes` or `eventually`, and what is to be true. Can one kill close the port for other hosts? Does
# it come back?

# %%
own = sim.explore(quiet, "always: open(80, remote)", "eventually: open(80, remote)", faults="kill=1")
own

# %%
own.story("always: open(80, remote)")

# %% [markdown]
# ## 8. Your turn
#
# - Section 2: `docker: kill web` in place of the stop. Which of the three hold now?
# - Section 2: with `settings=["engine.daemon.live-restore=true"]`. Does the ghost go away?
# - Section 7: can one kill make the exit code unknown? Ask `"sometimes: exit_code(web, 255)"`. And `kill=2`?
# - Section 7: with `faults="kill=2"` the search takes minutes. Guess first: which of the two sentences breaks?
# - `docker: exec web true` in place of the stop, and V13, "in the end every command has its answer".
#
# `shimulator explore FILE` does the same from the command line and writes the stories as scenario files.
