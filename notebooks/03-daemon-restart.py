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
# # 03 The daemon restarts, with and without live-restore
#
# dockerd must be restarted sometimes: an upgrade, a crash. What becomes of the containers? One word in daemon.json
# decides, `"live-restore"`. Off, which is the default and the document's setting, the containers go down with it.
# On, they stay. This notebook looks at what that costs and what it does not buy.
#
# Marks in brackets say how a fact is known: [S] read in the engine's source, [I] reported in an issue, [K] from
# knowledge. "§6" is a section of the facts about engine 1.13. Most durations of the profile `el7-idle` are [K]:
# compare, rather than believe milliseconds.

# %%
import sim

# %% [markdown]
# ## 1. Off: a killed dockerd
#
# The document's host, six containers that all have `restart: always`. After eleven days somebody kills dockerd.

# %%
off = sim.run("document")
off.trees("kill-1s", "kill+500ms")

# %% [markdown]
# *Figure 1. Half a second after `kill -9`. containerd and the proxies are gone: the kernel signals them when their
# parent dies, because they asked for it (§1.2 [S]). The shims did not ask. They live on under PID 1, and so do the
# payloads below them. systemd has already started a new dockerd.*
#
# So far every container runs. Then the new dockerd finds containers that it did not start, and without live-restore
# it stops each of them before it starts those whose policy says so (§6 [S]):

# %%
off.tell()

# %% [markdown]
# Find arthas. It runs under `sh -c`, which does not pass TERM on: ten seconds, then KILL. All the others wait for
# it, because policies act only when the last container is down.
#
# ## 2. On: the same kill
#
# `again` runs the same scenario with another setting. What both runs have in common takes as long in both.

# %%
on = off.again("engine.daemon.live-restore=true")
off.plot(on)

# %% [markdown]
# *Figure 2. The same kill, off above, on below. Amber: the container runs, and its shim is PID 1's. With
# live-restore the new dockerd takes the containers back as they are. The two strips below the lanes show how many
# published ports can be reached, from other hosts and from the host itself.*
#
# Two minutes later: the same payloads, the same numbers. The shims stay children of PID 1 for good, for nobody can
# be given a child back.

# %%
off.trees("end", beside=on)

# %% [markdown]
# *Figure 3. Two minutes after the kill, off and on. Both hosts serve all six containers. They got there
# differently, and the trees still show it.*
#
# ## 3. What goes dark
#
# Even with live-restore there are gaps. `to_frame("ports")` has a row for each stretch of time in which a port was
# open, or was not. Seconds from the kill on:

# %%
dark = on.to_frame("ports", since="kill").query("not open and start_s >= 0")
dark.assign(dark_s=dark.end_s - dark.start_s).pivot_table(index="container", columns="client", values="dark_s").round(2)

# %% [markdown]
# The same without:

# %%
dark = off.to_frame("ports", since="kill").query("not open and start_s >= 0")
dark.assign(dark_s=dark.end_s - dark.start_s).pivot_table(index="container", columns="client", values="dark_s").round(2)

# %% [markdown]
# Why is a port closed? Ask. From the host itself it goes through the proxy, and that dies with dockerd in any case:

# %%
on.why("port 20002 from loopback", at="kill+500ms")

# %% [markdown]
# From other hosts it goes by iptables rules, which nobody needs to run. They would hold through the whole restart,
# but the new dockerd empties its chains before it writes the rules anew, port after port (§6 step 6 [S]):

# %%
on.why("port 1080 from remote", at="kill+1600ms")

# %% [markdown]
# ## 4. A polite restart
#
# `systemctl restart docker` sends TERM. dockerd has time to put things in order, and what is in order depends on
# the same setting (§5 [S]).

# %%
polite = sim.run("""
title: systemctl restart docker
services:
  web: {image: nginx, ports: ["80:80"], restart: always}
  db: {image: postgres, restart: unless-stopped}
  job: {image: busybox}
steps: [{id: restart, at: 60s, systemctl: restart docker}]
until: restart+60s
""")
kept = polite.again("engine.daemon.live-restore=true")
polite.plot(kept)

# %% [markdown]
# *Figure 4. A polite restart, off above, on below. Off: all are stopped at once, and those with a policy come back.
# `job` has none and stays down.*

# %%
polite.trees("restart-1s", "end")

# %% [markdown]
# *Figure 5. Off: before and after. Everything but systemd is new.*

# %%
kept.trees("restart-1s", "end")

# %% [markdown]
# *Figure 6. On: before and after. The containers have not noticed.*
#
# ## 5. Not one seed, many
#
# A run is one roll of the dice. `whatif` runs many pairs, each pair with one seed, and compares them. A pair shares
# every draw that both sides have in common, so that what differs comes from the setting.

# %%
pairs = sim.whatif("document", "engine.daemon.live-restore=true", seeds=20)
pairs

# %%
pairs.plot()

# %% [markdown]
# *Figure 7. Twenty pairs. Each point is a pair: with live-restore less without it. The diamond is the median, the
# bar its 95 % interval. Blue is better.*
#
# "Price" lines name what the model does not show, with how that is known. Lost log lines are one: this build reads
# each log fifo twice after a restore [S].
#
# ## 6. What live-restore does not buy
#
# - **It keeps no API up.** While dockerd is away nobody can be started, stopped or asked.
# - **It keeps no proxy.** Loopback is dark from the kill on.
# - **It gives no child back.** The shims stay under PID 1; killed later on, they are noticed in another way (T27).
# - **Policies rest.** A container that ends during the outage is restarted only when dockerd is back.
#
# The last one as a run: the payload ends by itself 200 ms after the kill.

# %%
ends = sim.run("""
title: a container ends while dockerd is away
services: {web: {image: nginx, ports: ["80:80"], restart: always}}
engine: {daemon: {live-restore: true}}
steps:
  - {id: kill, at: 60s, kill: dockerd}
  - {id: leave, at: kill+200ms, kill: payload/web}
until: kill+20s
""")
ends

# %% [markdown]
# *Figure 8. The payload is dead at once; dockerd hears of it more than a second later, and starts a new one.*
#
# ## 7. Your turn
#
# - Section 4: `x-payload: {on_term: none}` for db. How long does the polite restart take now, off and on?
# - Section 4: `kill: dockerd` with `signal: TERM` in place of `systemctl`. Why does it stay down?
# - Section 4: `stop_grace_period: 2m` for db, and TERM ignored. Who loses patience first (§5)?
# - Section 1: `off.again(seed=2)`. What changes, and what never does?
# - Section 4: `polite.again("engine.design=docker-26")`. Where are the shims before the restart, and who moves?
# - Section 5: compare `engine.unit.RestartSec=5s` in place of live-restore.
