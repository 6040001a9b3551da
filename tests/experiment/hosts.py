"""Small hosts for tests: one or two containers, one fault."""

WEB = """
title: One container; dockerd is killed
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {ready: 200ms}}
steps:
  - {id: kill, at: 60s, kill: dockerd}
until: kill+30s
"""
GONE = """
title: One container without a restart policy; its process is killed
services:
  web: {image: nginx, ports: ["80:80"]}
  db: {image: postgres, ports: ["5432:5432"], restart: always}
steps:
  - {id: kill, at: 60s, kill: payload/web}
until: kill+20s
"""
LOST = """
title: A shim killed while containerd is down
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: shot, at: Exited(containerd)+200ms, kill: shim/web}
until: down+30s
"""
LIVE_RESTORE = "engine.daemon.live-restore=true"
