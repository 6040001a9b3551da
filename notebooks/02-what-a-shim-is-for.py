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
# # 02 What a shim is for
#
# Between containerd and each container stands a small program, docker-containerd-shim. It listens to nobody, and it
# does next to nothing. Why is it there?
#
# You cannot see it by looking. You see it when something dies. So: kill things, and watch.
#
# | the shim | because |
# |---|---|
# | stays when the daemons go | a container must outlive an upgrade of its engine |
# | waits for the payload's exit and writes the code down | only a parent is told, and only once |
# | holds the ends of the payload's output | who writes into a pipe that nobody holds is killed |
# | cleans up behind the payload | cgroup and folders have nobody else |
#
# Marks in brackets say how a fact is known: [S] read in the engine's source, [E] seen in an experiment with the
# real containerd and shim, [X] a small experiment with the kernel, [K] from knowledge. "§8" is a section of the
# facts about engine 1.13.

# %%
import sim

# %% [markdown]
# ## 1. It stays
#
# runc, which makes the container, leaves at once. Orphans go to the nearest ancestor that has declared itself a
# *subreaper*, and the shim has (§1.3 [S]). So the payload becomes the shim's child. Kill dockerd, and with it
# containerd, and look again.

# %%
stays = sim.run("""
title: dockerd is killed, and containerd with it
services: {web: {image: nginx}}
engine: {daemon: {live-restore: true}}
steps: [{id: kill, at: 60s, kill: dockerd}]
until: kill+10s
""")
stays.trees("kill-1s", "kill+50ms")

# %% [markdown]
# *Figure 1. Both daemons are gone. The shim has lost its parent and is PID 1's now; the payload has lost nobody.*
#
# Were containerd the payload's parent, the payload would live too: the kernel kills no orphans. But its new parent
# would be PID 1, which knows nothing of containers. That is the next point.
#
# ## 2. It keeps the exit code
#
# A process that has ended tells its code to its parent, once. Here the payload leaves with 7 while containerd is
# away.

# %%
seven = sim.run("""
title: the payload leaves with 7 while containerd is away
services: {web: {image: nginx, x-payload: {on_term: {exit: 7, after: 100ms}}}}
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: leave, at: down+200ms, kill: payload/web, signal: TERM}
until: down+30s
""")
seven.trees("leave-1ms", "leave+500ms")

# %% [markdown]
# *Figure 2. Half a second later the payload is gone, its shim is gone, and no containerd is there to be told.*
#
# dockerd does not know yet:

# %%
seven.show("docker-ps-a", at="leave+500ms")

# %% [markdown]
# But the shim has written the code into a file before it left (§3.1 [S, E]):

# %%
seven.at("leave+500ms").host.files[
    "/var/run/docker/libcontainerd/containerd/e2107f789ec53d75644240c69435c0ab3972a5e8c3221f6618fba4c27efea1f1"
    "/init/exitStatus"
]

# %% [markdown]
# And the next containerd finds it, and tells the truth:

# %%
seven.show("docker-ps-a")

# %% [markdown]
# The same without the shim: it is killed while containerd is away. Now PID 1 is the payload's parent. It takes the
# code and throws it away.

# %%
lost = sim.run("""
title: the shim is killed while containerd is away
services: {web: {image: nginx}}
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: kill, at: down+200ms, kill: shim/web}
until: down+10s
""")
lost.plot(start="down-100ms", stop="down+3s")

# %% [markdown]
# *Figure 3. For more than a second the container runs without a shim (yellow). The new containerd finds a payload
# whose parent is PID 1, takes the shim for dead, and kills it (§7.3 [S, E]).*
#
# The exit code is 255, which means: nobody knows. The signal was KILL, so 137 would have been right.

# %%
lost.show("docker-ps-a")

# %% [markdown]
# ## 3. It holds the output
#
# What a container prints goes through a pipe to its shim, through a fifo to dockerd, and from there to the log. The
# shim holds both ends of that fifo, so that dockerd's absence breaks nothing (§10 [S]). Nobody reads, though, and
# pipes are small. Freeze dockerd and let the payload print 20 KB a second.

# %%
output = sim.run("""
title: dockerd is frozen, and the payload prints
services: {web: {image: nginx, x-payload: {log: 20KB/s}}}
steps:
  - {id: hang, at: 60s, stop: dockerd}
  - {id: go, at: 80s, cont: dockerd}
expect:
  - {at: hang+8s, process: payload/web, blocked: false}
  - {at: hang+9s, process: payload/web, blocked: true}
  - {at: go-1s, container: web, status: running, buffered: 160KiB}
  - {at: end, container: web, pid: same, lost: 0}
until: go+10s
""")
output

# %% [markdown]
# *Figure 4. After 160 KiB the payload waits in `write`: 64 KiB in the pipe, 32 KiB in the shim's hands, 64 KiB in
# the fifo [S; 64 KiB a pipe X]. It is not killed, and when dockerd goes on, not a byte is lost.*
#
# ## 4. It reaps
#
# Stop the shim with SIGSTOP, then kill its payload. Nobody waits for the dead one:

# %%
halted = sim.run("""
title: the shim is stopped, then the payload is killed
services: {web: {image: nginx}}
steps:
  - {id: hold, at: 60s, stop: shim/web}
  - {id: kill, at: 70s, kill: payload/web}
  - {id: go, at: 130s, cont: shim/web}
until: go+10s
""")
halted.trees("kill-1s", "go-1s")

# %% [markdown]
# *Figure 5. A minute after its death the payload is a zombie below a stopped shim (§8 f [S]).*
#
# And the engine believes what it was told last:

# %%
halted.show("docker-ps", at="go-1s")

# %%
halted.tell()

# %% [markdown]
# ## 5. What it does not do
#
# It does not restart: that is dockerd's restart policy. It takes no signal but KILL: see sentence 1 of notebook 01.
# And it does not keep the payload alive. Kill the shim while all is well:

# %%
shim = sim.run("""
title: the shim is killed
services: {web: {image: nginx, restart: "no"}}
steps: [{id: kill, at: 60s, kill: shim/web}]
until: kill+10s
""")
shim.plot(by="process", start="kill-2ms", stop="kill+60ms")

# %% [markdown]
# *Figure 6. Each lane is a process. The payload is left to PID 1 the moment its shim dies. Some milliseconds later
# containerd, which waited for the shim, finds the orphan and kills it (§8 a [S, E]; 8 ms in the experiment).*
#
# Not the kernel: the payload has no parent-death signal (§1.2 [S]). `why` follows the causes:

# %%
shim.why("process payload/web")

# %% [markdown]
# An exec has a shim of its own. Kill that one, and only the command is killed; the container runs on (§8 e [S]).

# %%
command = sim.run("""
title: the shim of a docker exec is killed
services: {web: {image: nginx}}
steps:
  - {id: exec, at: 60s, docker: exec web sleep 1000}
  - {id: kill, at: 70s, kill: exec-shim/web}
until: kill+10s
""")
command.trees("kill-1s", "kill+1s")

# %% [markdown]
# *Figure 7. Two shims of one container, and what is left after one of them was killed.*
#
# ## 6. All of it as a table
#
# `to_frame("processes")` has a row for every process of a run. Payloads and shims of the runs above, by how they
# ended:

# %%
ends = ["role", "last_ppid", "end_s", "exit_code", "signal"]
seven.to_frame("processes", since="leave").query("role in ('shim', 'payload')")[ends]

# %%
lost.to_frame("processes", since="kill").query("role in ('shim', 'payload')")[ends]

# %% [markdown]
# `last_ppid` 1: it had been left to PID 1.
#
# ## 7. Your turn
#
# Say first what you expect, then run it. One line of a scenario above each:
#
# - Section 2: kill the new containerd as well (`{id: again, at: down+1500ms, kill: containerd}`). Does the 7 still
#   arrive? And at another moment, or with `seed=2`?
# - Section 3: `log: 1MB/s`. After how long is the payload blocked now? And why does the figure 160 KiB stay?
# - Section 5: `restart: always`. Who starts the next payload, and how many shims does it have?
# - Section 5: kill the payload and its shim in the same moment (`{id: both, at: 60s, kill: payload/web}`).
# - Which of the four jobs would be lost if containerd were the parent itself? (No engine of this kind is modelled;
#   think.)
