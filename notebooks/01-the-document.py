# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The document, checked
#
# A short document, *Docker守护进程* ("The processes of the Docker daemon"), shows one host with Docker 1.13.1 and six
# containers: `docker ps`, `ps -ef`, `pstree`, `ps -axjf`. It then says in a few sentences what these processes are
# for.
#
# Here that host is a simulation. You will see its process trees come out number by number, kill parts of it, and
# check every sentence of the document with an experiment of about five lines. Change a line, run the cell again, and
# look at the other tree.

# %%
import sim
from sim.scenario import load

# %% [markdown]
# ## 1. The host comes up
#
# `document` is a scenario file: the services, and what people did on that host and when. `sim.run` runs it once.
# Eleven days pass in a moment, because a quiet host costs nothing.

# %%
host = sim.run("document")
print(host.show("docker-ps", at="kill-1s"))

# %% [markdown]
# `at` names a moment. `kill` is the step of the file in which dockerd is killed (the document does not do that; we
# do, further down), so `kill-1s` is the host as the document's author saw it.

# %% [markdown]
# ## 2. The trees are the document's
#
# `pstree 15935`, the document's longest listing. 15935 is containerd.

# %%
print(host.show("pstree", at="kill-1s", root=15935))

# %% [markdown]
# The file expects exactly the lines of the document there, and says what became of that:

# %%
host.verdicts()[0].detail

# %% [markdown]
# The whole forest, with parents (PPID), pids and process groups (PGID):

# %%
print(host.show("ps-axjf", at="kill-1s", root="dockerd"))

# %% [markdown]
# 20 of the document's 21 rows are equal. The other one is the document's slip: `node_exporter` (777) is a child of
# shim 759, so it stands one level deeper, behind `|   |   \_` like its neighbours. The document prints `|   \_`,
# which no `ps` does for a row with that parent. A bar got lost when the listing was edited.

# %%
host.verdicts()[1].detail

# %% [markdown]
# One more slip, in words: the document speaks of "process 635". Nobody has that number; 625 is meant.

# %%
[number in host.at("kill-1s").host.procs for number in (625, 635)]

# %% [markdown]
# ## 3. Who is whose parent
#
# Four kinds of process, all started by the one before:
#
# | process | parent | why |
# |---|---|---|
# | dockerd 15929 | systemd, 1 | the unit docker.service |
# | containerd 15935 | dockerd | dockerd starts it, and has the kernel kill it should dockerd die |
# | docker-proxy 598 … | dockerd | one for each published port |
# | shim 625 … | containerd | one for each container |
# | payload 672 … | its shim | runc made it and left; the shim, a *subreaper*, inherited it |
#
# `pstree` cuts names to the kernel's 15 bytes. That is why containerd and shims are both called `docker-containe`:
# the document's "many docker-containe" are not all the same thing. `ps` shows their words in full.

# %%
print(host.show("pstree-p", at="kill-1s", root="shim/grafana"))

# %% [markdown]
# The names in braces are threads, and threads take numbers from the same counter as processes. Remember that for the
# next section.

# %% [markdown]
# ## 4. Where the numbers come from
#
# Linux hands out ids upwards, one after the other. Prometheus was started alone, on a quiet host, so its numbers can
# be derived. The next free id was 2915.
#
# | ids | who |
# |---|---|
# | 2915–2920 | six runs of iptables: each of three rules is looked for, then added |
# | **2921** | **docker-proxy** |
# | 2922–2927 | its threads |
# | **2928** | **the shim** |
# | 2929–2935 | its threads, at first |
# | 2936–2944 | runc: one process, six threads, two stages |
# | **2945** | **the payload**, runc's last stage; prometheus keeps its pid |
#
# Nothing of this is written into the scenario: it says 2915, the rest comes out.

# %%
print(host.show("pstree-p", at="kill-1s", root="proxy/prometheus"))

# %%
print(host.show("pstree-p", at="kill-1s", root="shim/prometheus"))

# %% [markdown]
# So if the counter had stood one further on, all three would be one further on. Try 3000, or 32760: after 32767 comes
# 300.

# %%
later = sim.run(sim.load("document", "steps.9.host.next_pid=2916"))
print(later.show("pstree-p", at="kill-1s", root="shim/prometheus"))

# %% [markdown]
# The other lone start, e3w, works the same way: 28949 → 28955 → 28961 → 28978. The four containers that started side
# by side took their numbers in turns. Which took which is chance, so the file pins those: it says `x-pids` there.

# %% [markdown]
# ## 5. What happens when dockerd is killed?
#
# Before:

# %%
print(host.show("pstree", at="kill-1s"))

# %% [markdown]
# Half a second after `kill -9` of dockerd. containerd and the proxies are gone: the kernel signals them when their
# parent dies, because they asked for it. The shims did not ask. They live on as children of PID 1, and so do the
# payloads below them.

# %%
print(host.show("pstree", at="kill+500ms"))

# %% [markdown]
# systemd has already started a new dockerd. It cannot be asked anything yet:

# %%
print(host.show("docker-ps", at="kill+500ms"))

# %% [markdown]
# At 1.3 s the new dockerd finds containers that it did not start, stops every one of them, and then starts those
# whose restart policy says so. Two minutes later:

# %%
print(host.show("pstree-p", at="end", root="shim/grafana"))

# %% [markdown]
# Grafana runs, and it is another process. Here is what happened in between. Find arthas: its `sh -c` does not pass
# TERM on, which cost ten seconds.

# %%
from sim.render.run_text import run_text

print(run_text(host.summary(pictures=False)))

# %% [markdown]
# ### With live-restore
#
# One setting in `daemon.json`, and the new dockerd takes the containers back as they are. The same kill, two minutes
# later: same payload, same pid. The shims stay children of PID 1 for good, for nobody can be given a child back.

# %%
kept = sim.run(sim.load("document", "engine.daemon.live-restore=true"))
print(kept.show("pstree", at="end"))

# %%
print(kept.show("pstree-p", at="end", root="shim/grafana"))

# %% [markdown]
# ### Both in one picture
#
# Above without live-restore, below with it. Time runs to the right; each lane is a daemon or a container. Amber is
# "runs, but its shim belongs to PID 1". The two strips below the lanes show how many published ports can be reached,
# from other hosts and from the host itself.

# %%
host.plot(kept)

# %% [markdown]
# ## 6. The document's sentences
#
# Each sentence is quoted, judged — **true**, **imprecise** or **wrong** — and shown by a small scenario. `services:`
# says which containers run, `steps:` what is done to them.

# %% [markdown]
# ### "All API services are provided by dockerd" — true
#
# (所有的`api`服务都是由此项提供.) Freeze dockerd and ask for a start: nobody answers until it goes on. What runs
# already does not need the API.

# %%
frozen = sim.run(load("frozen.yaml", """
services: {web: {image: nginx, ports: ["80:80"]}, db: {image: postgres}}
steps:
  - {id: freeze, at: 60s, stop: dockerd}
  - {id: ask, at: freeze+1s, docker: run -d --name late busybox}
  - {id: thaw, at: freeze+1m, cont: dockerd}
until: thaw+10s
"""))
print(frozen.show("pstree", at="thaw-1s"))
print(frozen.show("pstree", at="end"))

# %% [markdown]
# ### "dockerd in turn starts containerd" — true
#
# (通过`dockerd`又启动了`docker-containerd`.) And it does so again: kill containerd, and after a second or so there is
# another one. Look at the shims: the new containerd knows them, but they are PID 1's children now.

# %%
again = sim.run(load("again.yaml", """
services: {web: {image: nginx, ports: ["80:80"]}, db: {image: postgres}}
steps:
  - {id: kill, at: 60s, kill: containerd}
until: kill+10s
"""))
print(again.show("pstree", at="kill-1s"))
print(again.show("pstree", at="kill+500ms"))
print(again.show("pstree", at="end"))

# %% [markdown]
# ### "Each instance gets a shim and a proxy" — imprecise
#
# (当每启动一个`docker instance`的时候，就会启动一个`docker-containerd-shim`和`docker-proxy`.) A shim, yes. A proxy
# comes with each *published port*: none for `job`, two for `web`. The document's six containers publish one port
# each, so it looks like one proxy for each container there.

# %%
ports = sim.run(load("ports.yaml", """
services:
  web: {image: nginx, ports: ["80:80", "443:443"]}
  job: {image: busybox}
"""))
print(ports.show("pstree"))

# %% [markdown]
# ### "The proxy provides the iptables port mapping" — wrong
#
# (`docker-proxy`为`docker instance`提供`iptables`的端口映射关系.) dockerd writes the iptables rules itself, before it
# starts the proxy. The proxy is the way *around* them, for clients that the rules do not catch: those on the host's
# loopback and in containers of the same bridge. So kill it, and remote clients notice nothing. (It stays in the tree
# as a zombie: dockerd only waits for a proxy when the container stops.)

# %%
proxy = sim.run(load("proxy.yaml", """
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: kill, at: 60s, kill: proxy/web}
expect:
  - {at: kill+1s, port: 80, from: remote, open: true}
  - {at: kill+1s, port: 80, from: loopback, open: false}
until: kill+10s
"""))
print(proxy.show("pstree", at="kill-1s"))
print(proxy.show("ps-axjf", at="end"))
proxy.verdicts()

# %% [markdown]
# dockerd can do without proxies altogether. The port is still open for remote clients:

# %%
without = sim.run(load("without.yaml", """
services: {web: {image: nginx, ports: ["80:80"]}}
engine: {daemon: {userland-proxy: false}}
expect: [{at: end, port: 80, from: remote, open: true}]
"""))
print(without.show("pstree"))
without.verdicts()

# %% [markdown]
# ### "The shim guards its instance" — imprecise
#
# (`docker-containerd-shim`是`docker instance`的守护进程.) A shim is the payload's parent: it holds the fifos, waits
# for the exit and writes down the code, also while the daemons are away. It does not start a payload again; that is
# dockerd's, by restart policy. Kill the payload, and its shim leaves, too:

# %%
payload = sim.run(load("payload.yaml", """
services: {web: {image: nginx, ports: ["80:80"], restart: "no"}}
steps:
  - {id: kill, at: 60s, kill: payload/web}
until: kill+10s
"""))
print(payload.show("pstree", at="kill-1s"))
print(payload.show("pstree", at="end"))
print(payload.show("docker-ps-a"))

# %% [markdown]
# With `restart: always` in that line there would be a new shim with a new payload. Nor does the shim hold the
# payload's life by itself. Kill the *shim*, and the payload is killed a moment later, by containerd:

# %%
shim = sim.run(load("shim.yaml", """
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: kill, at: 60s, kill: shim/web}
until: kill+10s
"""))
print(shim.show("pstree", at="kill-1s"))
print(shim.show("pstree", at="end"))
print(shim.show("docker-ps-a"))

# %% [markdown]
# By containerd, and not by the kernel: while containerd is down the payload lives on without a shim, as a child of
# PID 1, until the next containerd finds it. Then nobody knows its exit code any more: 255.

# %%
alone = sim.run(load("alone.yaml", """
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: kill, at: down+200ms, kill: shim/web}
until: down+30s
"""))
print(alone.show("pstree", at="kill+100ms"))
print(alone.show("pstree", at="end"))
print(alone.show("docker-ps-a"))

# %% [markdown]
# ### "The shim implements the OCI standard; the default implementation is runc" — imprecise
#
# (`shim`是做为一层封装来实现，默认的实现即为`runc`.) The runtime that the OCI describes is runc. The shim calls it
# and stays; runc makes the container and leaves, which is why the document's trees show none. Look during a start,
# and it is there:

# %%
start = sim.run(load("start.yaml", """
services: {db: {image: postgres}}
steps:
  - {id: run, at: 60s, docker: run -d --name web -p 80:80 nginx}
until: run+10s
"""))
print(start.show("pstree", at="Forked(runc/web)+100ms"))
print(start.show("pstree", at="end"))

# %% [markdown]
# ### "`docker run` can be turned into the shim's command" — wrong
#
# (我们启动一个容器的命令可以转换为`shim`命令.) The shim's command is what *containerd* runs, late in a start. Before
# it dockerd has made the container, chosen an address, written iptables rules, started the proxy, and written the
# bundle that the command names. Just before the shim:

# %%
print(start.show("pstree", at="Forked(shim/web)-1ms"))
print(start.show("docker-events", at="Forked(shim/web)-1ms"))

# %% [markdown]
# And after it runc comes back to dockerd, for the network. Kill dockerd at the moment in which the shim begins: shim
# and command are there as ever, and no container comes of it.

# %%
torn = sim.run(load("torn.yaml", """
services: {db: {image: postgres}}
steps:
  - {id: run, at: 60s, docker: run -d --name web -p 80:80 nginx}
  - {id: kill, at: Forked(shim/web), kill: dockerd}
until: kill+30s
"""))
print(torn.show("pstree", at="kill+20ms"))
print(torn.show("pstree", at="end"))
print(torn.show("docker-ps-a"))

# %% [markdown]
# ## 7. Your turn
#
# The document draws one tree, of one quiet moment. A few questions that it does not ask; each is one line of a
# scenario above.
#
# - `docker stop` a container that ignores TERM: put `x-payload: {on_term: none}` into a service.
# - `systemctl: stop docker` in place of `kill: dockerd`. Who is left? And with live-restore?
# - `stop: containerd` freezes it. How long until dockerd has had enough?
# - `kill: dockerd` with `signal: TERM`. Why does systemd not start it again?
#
# `shimsim run FILE` does the same from the command line, `shimsim init` writes a scenario to begin with.
