"""systemd as far as it touches an engine: one machine for every unit of a host.

`unit` holds unit files (data of an engine) and what systemd knows of each unit; `start`, `stop` and `dependencies` are
what it does with one, `jobs` what it is asked for, `power` what it does with the host, and `program` compiles PID 1
from the unit files of a design. `ways` is the table of Restart=. Leaves out watchdogs, TimeoutStartSec=, sockets (but
for `sim.engines.docker.waking`) and every other unit. Source: systemd.unit(5), systemd.service(5), systemd.kill(5);
systemd's own src/core/service.c, transaction.c, job.c and unit.c, as of v219 (el7) and v255 where nothing else is said.
"""
