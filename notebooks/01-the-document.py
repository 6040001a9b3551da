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
# # 01 The document, checked
#
# A short document, *Docker守护进程* ("The processes of the Docker daemon"), shows one host with Docker 1.13.1 and
# six containers: `docker ps`, `ps -ef`, `pstree`, `ps -axjf`, `ll`. In a few sentences it says what these processes
# are for.
#
# Here that host is a simulation. You see its process trees come out number by number. Then every sentence of the
# document is judged **true**, **imprecise** or **wrong**, and shown by a scenario of a few lines, with the process
# tree before and after. Change one line, run the cell again, and look at the other tree.
#
# Facts carry marks that say how they are known: [S] read in the engine's source, [DOC] read off the document, [E]
# seen in an experiment with the real containerd and shim, [X] a small experiment with the kernel, [R] seen by
# running ps or pstree, [C] computed from rules that are known, [K] from knowledge, not verified. "§2" is a section
# of the facts about engine 1.13 that the model's source cites. Most durations of the profile `el7-idle` are [K] or
# assumed: believe who does what in which order, and take milliseconds as typical.

# %%
import sim

# %% [markdown]
# ## 1. The host
#
# `document` is a scenario file: the services, and what people did on that host and when. `sim.run` runs it once.
# Eleven days pass in a moment, because a quiet host costs nothing.

# %%
host = sim.run("document")
host.show("docker-ps", at="kill-1s")

# %% [markdown]
# `at` names a moment. `kill` is the step of the file in which dockerd is killed (the document does not do that; the
# notebook 03 looks at it), so `kill-1s` is the host as the document's author saw it.
#
# ## 2. The trees are the document's
#
# `pstree 15935`, the document's longest listing. 15935 is containerd.

# %%
host.show("pstree", at="kill-1s", root=15935)

# %% [markdown]
# The file expects exactly the lines of the document there, and says what became of that:

# %%
host.verdicts()[0].detail

# %% [markdown]
# The whole forest, with parents (PPID), pids and process groups (PGID):

# %%
host.show("ps-axjf", at="kill-1s", root="dockerd")

# %% [markdown]
# ## 3. Who is whose parent
#
# | process | parent | why |
# |---|---|---|
# | dockerd 15929 | systemd, 1 | the unit docker.service |
# | containerd 15935 | dockerd | dockerd starts it, and has the kernel kill it should dockerd die |
# | docker-proxy 598 … | dockerd | one for each published port |
# | shim 625 … | containerd | one for each container |
# | payload 672 … | its shim | runc made it and left; the shim, a *subreaper*, inherited it |
#
# "Payload" is the container's own program. The same as a picture:

# %%
host.trees("kill-1s")

# %% [markdown]
# *Figure 1. The document's host. Every process is below the one that started it, but for the six payloads: runc
# made them, left, and each was inherited by its shim.*
#
# ## 4. Where the numbers come from
#
# Linux hands out ids upwards, one after the other, and threads take them from the same counter. Prometheus was
# started alone, on a quiet host, so its numbers can be derived (§12 [C, DOC]). The next free id was 2915.
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
# Nothing of this is written into the scenario: it says 2915, the rest comes out. `to_frame` gives every process of
# the run as a table; these are the ones of prometheus from that start on.

# %%
processes = host.to_frame("processes", since="restart")
columns = ["pid", "ppid", "role", "start_s", "end_s"]
processes.query("container == 'prometheus' and 2915 <= pid <= 2945")[columns].round(3)

# %% [markdown]
# So if the counter had stood one further on, all would be one further on. Try 3000, or 32760: after 32767 comes
# 300.

# %%
later = host.again("steps.9.host.next_pid=2916")
later.show("pstree-p", at="kill-1s", root="shim/prometheus")

# %% [markdown]
# The other lone start, e3w, works the same way: 28949 → 28955 → 28961 → 28978. The four containers that started
# side by side took their numbers in turns. Which took which is chance, so the file pins those: it says `x-pids`
# there.
#
# ## 5. The document's sentences
#
# | | the document says | verdict |
# |---|---|---|
# | 1 | the process of container 17d0801f3a10 is 625 | imprecise |
# | 2 | pstree shows the list of *threads* below process *635* | wrong |
# | 3 | below the parent all is the same, one docker-containe after the other | imprecise |
# | 4 | the parent of 15935 is 15929, and the parent of 15929 is 1 | true |
# | 5 | docker-containerd-current *connects to* docker-containerd.sock | imprecise |
# | 6 | it is started with docker-runc as its runtime | imprecise |
# | 7 | many shims hang below it | true |
# | 8 | containerd and the proxies hang below dockerd | true |
# | 9 | dockerd started a process, the "docker daemon" or "docker engine" | imprecise |
# | 10 | all API services are provided by it | true |
# | 11 | dockerd also started containerd | true |
# | 12 | each instance that is started starts a shim and a proxy | imprecise |
# | 13 | the shim is the guardian of its instance | imprecise |
# | 14 | the proxy provides the iptables port mapping | wrong |
# | 15 | the OCI has made the standard for containers | true |
# | 16 | the shim is a layer that implements it, by default with runc | imprecise |
# | 17 | `docker run` can be turned into the shim's command | wrong |
# | 18 | the difference are the parameters: runc's configuration, and standard input and output | imprecise |
# | 19 | the listings themselves | true, but for a few slips |
#
# Of eighteen sentences six are true, nine are imprecise and three are wrong. Each is quoted and judged below.
# `services:` says which containers run, `steps:` what is done to them and when.

# %% [markdown]
# ### 1. "The process of container 17d0801f3a10 is 625" — imprecise
#
# (17d0801f3a10容器的进程为625.) 625 is the shim, and the shim is not in the container: it runs on the host, and `ps
# -ef | grep 17d` finds it because the id stands in its command line. The container's process is its child, 672.
# Were 625 the container's process, TERM to it would end the container. A shim takes every signal that can be
# caught, and does nothing (§1.1 [S, E]).

# %%
term = sim.run("""
title: TERM to the shim, ten seconds later TERM to the payload
services: {web: {image: nginx}}
steps:
  - {id: shim, at: 60s, kill: shim/web, signal: TERM}
  - {id: payload, at: 70s, kill: payload/web, signal: TERM}
""")
term.trees("shim-1s", "shim+1s")

# %% [markdown]
# *Figure 2. A second after TERM to the shim: nothing has changed.*

# %%
term.trees("payload-1s", "payload+1s")

# %% [markdown]
# *Figure 3. A second after TERM to the payload: the container is over, and its shim has left with it.*
#
# ### 2. "pstree shows the list of threads below process 635" — wrong
#
# (pstree看一下进程635下的线程列表.) Two slips. Nobody has the number 635; 625 is meant:

# %%
635 in host.at("kill-1s").host.procs

# %% [markdown]
# And `pstree` shows processes and threads. Braces mean threads: `9*[{docker-containe}]` are nine threads of the
# shim. A name without braces is a process: `grafana-server` is a child. Here one payload has four threads, the
# other one has none and a child. Kill the parent, and the child is gone too: it lived in the pid namespace of which
# the parent was the first process (§16.7 [X]).

# %%
threads = sim.run("""
title: four threads beside a shell with a child
services:
  a: {image: nginx, x-payload: {threads: 4}}
  b: {image: sh, x-payload: {comm: sh, threads: 0, children: [{argv: [java]}]}}
steps: [{id: kill, at: 60s, kill: payload/b}]
""")
threads.trees("kill-1s", "kill+1s")

# %% [markdown]
# *Figure 4. Boxes are processes; how many threads each has stands in it. A payload takes its children along.*
#
# ### 3. "Below the parent all is the same, one docker-containe after the other" — imprecise
#
# (父进程下面都是和635一样的信息，都是一个一个地docker-containe.) The names are the same, for `pstree` shows the 15
# bytes that the kernel keeps of a name: `docker-containe` is what is left of docker-containerd-current and of
# docker-containerd-shim-current alike [R]. The root of that tree, and its sixteen threads in braces, are
# containerd; the six others are shims. Kill containerd, and see who goes and who stays.

# %%
away = sim.run("""
title: containerd is killed
services: {web: {image: nginx}, db: {image: postgres}}
steps: [{id: kill, at: 60s, kill: containerd}]
until: kill+10s
""")
away.trees("kill-1s", "kill+500ms")

# %% [markdown]
# *Figure 5. One name, two programs: containerd is gone, and the shims run on, as children of PID 1.*
#
# ### 4. "The parent of 15935 is 15929", "the parent of 15929 is 1" — true
#
# (其父进程为15929; 其父节点为1.) So say the listings, and so it comes out in section 2. Being a parent matters when
# it dies. containerd and the proxies asked the kernel for a signal in that case (PR_SET_PDEATHSIG: KILL and TERM);
# shims did not (§1.1 [S]).

# %%
dead = sim.run("""
title: dockerd is killed
services: {web: {image: nginx, ports: ["80:80"]}}
steps: [{id: kill, at: 60s, kill: dockerd}]
until: kill+10s
""")
dead.trees("kill-1s", "kill+50ms")

# %% [markdown]
# *Figure 6. 50 ms after dockerd's death its children are gone. The shim, a grandchild, is PID 1's.*
#
# ### 5. "docker-containerd-current connects to docker-containerd.sock" — imprecise
#
# (连接docker-containerd.sock文件.) The other way round: `-l` is for listen (§11 [S]). containerd serves at that
# socket, and dockerd is the one that connects. Who listens at it on the document's host?

# %%
host.at("kill-1s").host.listeners["unix:/var/run/docker/libcontainerd/docker-containerd.sock"]

# %% [markdown]
# So while containerd is away, dockerd lives and has nobody to ask:

# %%
asked = sim.run("""
title: a start while containerd is away
services: {web: {image: nginx}}
steps:
  - {id: kill, at: 60s, kill: containerd}
  - {id: ask, at: kill+200ms, docker: run -d --name late nginx}
until: ask+5s
""")
asked.tell()

# %%
asked.trees("kill-1s", "ask+500ms")

# %% [markdown]
# *Figure 7. Half a second after the question: dockerd is there, containerd is not, and no `late` has come of it.*
#
# ### 6. "It is started with docker-runc as its runtime" — imprecise
#
# (以docker-runc为runtime启动.) `--runtime docker-runc` is a default that is never used here: dockerd names the
# runtime in each request, from its own `--add-runtime`, and it arrives as the third word of the shim's command (§11
# [S]). And containerd runs *beside* runc, not on it. Look into a start, and runc is a child of the shim:

# %%
start = sim.run("""
title: a start, looked at from the inside
services: {db: {image: postgres}}
steps: [{id: run, at: 60s, docker: run -d --name web nginx}]
until: run+5s
""")
start.trees("run-1s", "Forked(runc/web)+100ms")

# %% [markdown]
# *Figure 8. 100 ms after runc began. `runc:[2:INIT]` is the payload-to-be; `exe` is dockerd once more, run by runc
# as a hook, to connect the network.*
#
# ### 7. "Many shims hang below it" — true
#
# (下面挂着许多的docker-containered-shim-current子进程; the name has two letters too many.) One for each container,
# on that day. It is no law: a shim is the child of the containerd that *started* it. Once that one is dead, its
# shims are children of PID 1 for good, and the next containerd has none (§1.3, T30 [S]).

# %%
away.trees("kill+500ms", "kill+8s")

# %% [markdown]
# *Figure 9. The run of figure 5, eight seconds after the kill: a new containerd that serves both containers,
# without a child.*
#
# ### 8. "containerd and the proxies hang below dockerd" — true
#
# (下面挂着docker-containerd-current，docker-proxy-curren子进程; one letter is lost.) The proxies are a setting,
# though: `"userland-proxy": false` in daemon.json, and there are none. Below, the same run with the other setting.

# %%
proxies = sim.run("""
title: one published port
services: {web: {image: nginx, ports: ["80:80"]}}
""")
without = proxies.again("engine.daemon.userland-proxy=false")
proxies.trees("end", beside=without)

# %% [markdown]
# *Figure 10. First with proxies, then without. Without them the port is open too, to other hosts and on the host:*

# %%
without.reachable(80, "remote"), without.reachable(80, "loopback")

# %% [markdown]
# ### 9. "dockerd started a process, the docker daemon or docker engine" — imprecise
#
# (dockerd启动了一个进程，即docker daemon或者说docker engine.) dockerd *is* that process, and systemd starts it.
# "Engine" is best kept for all of it: dockerd, containerd, shims, proxies and runc. Kill dockerd, and systemd
# starts it anew 100 ms later (§5 [S], the 100 ms [K]):

# %%
dead.trees("kill+50ms", "kill+180ms")

# %% [markdown]
# *Figure 11. The run of figure 6 goes on: PID 1 has a new child dockerd, which has no containerd yet.*
#
# ### 10. "All API services are provided by it" — true
#
# (所有的api服务都是由此项提供.) Freeze dockerd and ask for a start: nobody answers until it goes on. What runs
# already does not need the API; its ports stay open.

# %%
frozen = sim.run("""
title: dockerd is frozen, and somebody asks for a start
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: freeze, at: 60s, stop: dockerd}
  - {id: ask, at: freeze+1s, docker: run -d --name late busybox}
  - {id: thaw, at: freeze+1m, cont: dockerd}
expect: [{at: thaw-1s, port: 80, from: remote, open: true}]
until: thaw+10s
""")
frozen.trees("thaw-1s", "thaw+5s")

# %% [markdown]
# *Figure 12. A minute after the question nothing has come of it. dockerd goes on, and `late` is there.*
#
# ### 11. "dockerd also started containerd" — true
#
# (通过dockerd又启动了docker-containerd.) And starts it again: it asks twice a second whether containerd is well,
# and after three failures there is a new one (§7.1 [S]). containerd was killed at `kill` in this run:

# %%
away.tell()

# %% [markdown]
# Figure 9 shows the tree before and after. The rule has holes. Now and then dockerd stops asking, and there is no
# containerd until dockerd is restarted (T31; the notebook 04 finds such orders).
#
# ### 12. "Each instance starts a shim and a proxy" — imprecise
#
# (当每启动一个docker instance的时候，就会启动一个docker-containerd-shim和docker-proxy.) A shim, yes. A proxy comes
# with each *published port*: two for `web`, none for `job`. The document's six containers publish one port each, so
# it looks like one proxy for each container there (§1.1 [S]).

# %%
ports = sim.run("""
title: two ports, then none, then an exec
services: {web: {image: nginx, ports: ["80:80", "443:443"]}}
steps:
  - {id: run, at: 60s, docker: run -d --name job busybox}
  - {id: exec, at: 70s, docker: exec web sleep 30}
until: exec+10s
""")
ports.trees("run-1s", "run+5s")

# %% [markdown]
# *Figure 13. `web` has two proxies; `job` has come with a shim and without a proxy.*

# %%
ports.trees("exec-1s", "exec+5s")

# %% [markdown]
# *Figure 14. And `docker exec` starts one more shim for an instance that has one: two shims, one container.*
#
# ### 13. "The shim is the guardian of its instance" — imprecise
#
# (docker-containerd-shim是docker instance的守护进程.) It looks after it, but it neither protects it nor starts it
# again. It is the payload's parent: it holds the ends of its output, waits for its exit and writes down the code,
# also while both daemons are away (§3.1 [S, E]). Starting again is dockerd's, by restart policy. Kill the payload,
# and its shim leaves too:

# %%
payload = sim.run("""
title: the payload is killed
services: {web: {image: nginx, restart: "no"}}
steps: [{id: kill, at: 60s, kill: payload/web}]
until: kill+10s
""")
payload.trees("kill-1s", "kill+1s")

# %% [markdown]
# *Figure 15. A guardian would have started it again. With `restart: always` in that line there is a new shim with a
# new payload: dockerd's doing.*
#
# Nor does a payload need its shim to live. Kill the *shim*, and the payload is killed a moment later, but by
# containerd (§8 a [S, E]). While containerd is away, it lives on without a guardian (§8 c [S, E]):

# %%
alone = sim.run("""
title: containerd is killed, then the shim
services: {web: {image: nginx}}
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: kill, at: down+200ms, kill: shim/web}
until: down+30s
""")
alone.trees("kill-1ms", "kill+500ms")

# %% [markdown]
# *Figure 16. The payload has lost its shim and runs on, as a child of PID 1, until the next containerd kills it.
# The notebook 02 goes on from here.*
#
# ### 14. "The proxy provides the iptables port mapping" — wrong
#
# (docker-proxy为docker instance提供iptables的端口映射关系.) dockerd writes the iptables rules itself, before it
# starts the proxy (§2 step 3 [S]). The proxy is the way *around* them, for clients that the rules do not catch:
# those on the host's loopback, and those in containers of the same bridge (§16.10 [S, K]). So kill it, and remote
# clients notice nothing.

# %%
proxy = sim.run("""
title: the proxy is killed
services: {web: {image: nginx, ports: ["80:80"]}}
steps: [{id: kill, at: 60s, kill: proxy/web}]
expect:
  - {at: kill+1s, port: 80, from: remote, open: true}
  - {at: kill+1s, port: 80, from: loopback, open: false}
until: kill+5s
""")
proxy

# %% [markdown]
# *Figure 17. A run shows itself: the finding, the timeline, and what was expected. The green strip is the port as
# other hosts see it: the mapping does not need the proxy.*

# %%
proxy.trees("kill-1s", "kill+1s")

# %% [markdown]
# *Figure 18. The dead proxy stays as a zombie: dockerd waits for it only when the container stops (T23 [S]).*
#
# ### 15. "The OCI has made the standard for containers" — true
#
# (标准的OCI组织制定了容器标准.) The Open Container Initiative publishes a runtime specification [K]. No tree can
# show that: it is a sentence about people. What the trees show is who follows the standard, and that is the next
# sentence.
#
# ### 16. "The shim is a layer that implements it, by default with runc" — imprecise
#
# (shim是做为一层封装来实现，默认的实现即为runc.) The runtime that the OCI describes is runc. The shim is not part
# of the standard: it calls runc and stays, runc makes the container and leaves. That is why the document's trees
# show no runc. "By default" is right: `--add-runtime` can name others. The start of figure 8, a few seconds later:

# %%
start.trees("Forked(runc/web)+100ms", "run+4s")

# %% [markdown]
# *Figure 19. runc and its helpers are gone. What runc made, 84, is the shim's child now.*
#
# And that answers the document's question why there is a shim at all (那为什么需要中间再包一层…). The standard is
# not the reason. Somebody has to stay as the parent when runc has left, and it must be somebody who does not die
# with the daemons.
#
# ### 17. "docker run can be turned into the shim's command" — wrong
#
# (我们启动一个容器的命令可以转换为shim命令.) The shim's command is what *containerd* runs, late in a start (§2 step
# 9 [S]). Before it dockerd has made the container, chosen an address, written iptables rules, started the proxy and
# written the bundle that the command names. And after it runc comes back to dockerd, for the network (step 14).
# Kill dockerd at the moment in which the shim starts runc: the command runs as ever, and no container comes of it.

# %%
torn = sim.run("""
title: the shim's command without the rest of docker run
services: {db: {image: postgres}}
steps:
  - {id: run, at: 60s, docker: run -d --name web -p 80:80 nginx}
  - {id: kill, at: Forked(runc/web), kill: dockerd}
until: kill+30s
""")
torn.trees("Forked(shim/web)-1ms", "kill+10ms")

# %% [markdown]
# *Figure 20. One millisecond before the shim's command the proxy is there already: `docker run` is well on its way.
# A little later the shim and runc are at work, and dockerd is dead.*

# %%
torn.trees("kill+10ms", "kill+25s")

# %% [markdown]
# *Figure 21. What comes of it: runc's hook finds no dockerd, so runc gives up and the shim leaves. `db`, which has
# no restart policy, was stopped by the new dockerd. What is left over is a proxy for a container that never ran
# (T49).*

# %%
torn.show("docker-ps-a")

# %% [markdown]
# ### 18. "The difference are the parameters: runc's configuration file, and standard input and output" — imprecise
#
# (区别在于shim命令所需要一系列的参数信息即runc所需要运行的配置文件和标准的输入/输出.) The shim's parameters are
# three: the container's id, the folder of its bundle, and the path of runc. The folder does hold config.json and
# the fifos of standard input and output. But dockerd puts them there, for this one start, and takes them away when
# the container is over. The shim also needs what no parameter names: its working directory with `process.json` and
# the fifos `exit` and `control`, which containerd makes (§1.4, §2 steps 7–10 [S]).

# %%
bundle = sim.run("""
title: a container is stopped
services: {web: {image: nginx}}
steps: [{id: stop, at: 60s, docker: stop web}]
until: stop+10s
""")
bundle.show("ls-bundle", at="stop-1s", of="web")

# %%
bundle.show("ls-bundle", at="stop+5s", of="web")

# %%
bundle.trees("stop-1s", "stop+5s")

# %% [markdown]
# *Figure 22. With the container goes the shim, and with the shim the folder that its command names. The same
# command typed now would find nothing. (`?` above: no run can know the size of config.json.)*
#
# ### 19. The listings — true, but for a few slips
#
# The document's `ll` shows one bundle folder. The simulated one:

# %%
host.show("ls-bundle", at="kill-1s", of="node_exporter")

# %% [markdown]
# Four of its five lines are equal. The fifth is a matter of when: `init-stderr` bears the time of the last line
# that was written into it, 10:27, and that is later than the moment shown here [R].
#
# Of the forest's 21 rows 20 are equal. `node_exporter` (777) is a child of shim 759, so it stands one level deeper,
# behind `| | \_` like its neighbours. The document prints `| \_`, which no `ps` does for a row with that parent: a
# bar got lost when the listing was edited [R].

# %%
host.verdicts()[1].detail

# %% [markdown]
# Smaller slips: "635" for 625, "docker-containered", "docker-proxy-curren". And the document is dated June 3, 2020,
# while its engine was built on November 12, 2020, and its containers began on a December 3.
#
# ## 6. Your turn
#
# The document draws one tree, of one quiet moment. A few questions that it does not ask; each is one line of a
# scenario above.
#
# - `docker stop` a container that ignores TERM: put `x-payload: {on_term: none}` into a service of sentence 18.
# - `systemctl: stop docker` in place of `kill: dockerd` in sentence 4. Who is left?
# - `stop: containerd` freezes it, in sentence 3. How long until dockerd has had enough?
# - `signal: TERM` behind `kill: dockerd`. Why does systemd not start it again?
# - `dead.again("engine.design=docker-26").trees()`: the same kill with a later engine. Which sentences would you
#   judge otherwise?
# - `run.why("container web")` says why a container is as it is: ask it of `term`, `payload` and `alone`.
#
# `shimulator run FILE` does the same from the command line, `shimulator init` writes a scenario to begin with, and
# `docs/python.md` lists all that a run can be asked.
