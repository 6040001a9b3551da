"""What should hold of an engine: the invariants of engine-1.13 §24, plain laws, and guards against empty models.

Docker 1.13.1 breaks many of the invariants; they are stated as they should hold. A sentence says what counts as a
violation and what does not, in the words of the design (`words`); one that speaks of what a design has not does not
apply to it (`lacks`). NOT_MODELLED lists what no property asks about, and why. `PROPERTIES` is one literal table:
a row's faults are a function of a module beside this one, what it must remember is a watch of `history`. Source:
engine-1.13 §23, §24.
"""

from __future__ import annotations

from functools import partial

from sim.properties import daemons, guards, history, laws, ports
from sim.properties import invariants as v
from sim.properties import words as w
from sim.properties.property import (
    ALWAYS,
    EVENTUALLY,
    KINDS,
    SOMETIMES,
    Mark,
    Property,
    Watch,
    Watcher,
    in_words_of,
    mark,
    stated,
    watchers,
)

__all__ = [
    "ALWAYS",
    "EVENTUALLY",
    "KINDS",
    "NOT_MODELLED",
    "PROPERTIES",
    "SOMETIMES",
    "Mark",
    "Property",
    "Watch",
    "Watcher",
    "in_words_of",
    "mark",
    "stated",
    "watchers",
]

LAWS = "exit(2), wait(2), pid_namespaces(7), pipe(7), bind(2)"
GUARD = "a guard against a model in which nothing happens"
_row = partial(stated, words=w.words_of)

ROWS = (
    # -- engine-1.13 §24 ------------------------------------------------------------------------------------------
    _row("V1", EVENTUALLY, "While {the_daemon} lives it says in the end of each container whether its program runs.",
         v.said_as_it_is, "engine-1.13 §24 V1", lacks=w.a_daemon),
    _row("V2", ALWAYS, "Every payload that the runtime keeps is known{known}.", v.known, "engine-1.13 §24 V2"),
    _row("V3", ALWAYS, "A container's program is a child of its {parent}, unless {ending} is about to end it.",
         v.child_of_its_shim, "engine-1.13 §24 V3"),
    _row("V4", ALWAYS, "A container that is said to run and runs has exactly one {holder}, or none if it is about to "
         "be killed.", v.one_shim, "engine-1.13 §24 V4", lacks=w.holders),
    _row("V4b", EVENTUALLY, "In the end no {holder} is left without a payload.",
         v.shims_have_work, "engine-1.13 §24 V4, §7.2, §7.4", lacks=w.holders),
    _row("V5", ALWAYS, "Every {holder} is a child of a living {holder_home}.",
         v.shims_are_containerd_s, "engine-1.13 §24 V5", lacks=w.holders_below_a_daemon),
    _row("V6", EVENTUALLY, "In the end no program of a container has outlived its {parent}.",
         v.dies_with_its_shim, "engine-1.13 §24 V6"),
    _row("V7", ALWAYS, "The exit code that die tells is the one with which the container's program ended.",
         v.code_is_the_real_one, "engine-1.13 §24 V7", history.CODES),
    _row("V7b", ALWAYS, "{an_exec} says 126 of no command that runs.",
         v.no_command_runs_that_failed, "engine-1.13 §24 V7, §7.2", history.EXEC_ANSWERS),
    _row("V8", ALWAYS, "Each published port of a running container has a {forwarder} that is a child of {the_daemon}, "
         "and a stopped container has none.", ports.one_proxy_a_port, "engine-1.13 §24 V8", lacks=w.forwarders),
    _row("V9", ALWAYS, "The host ports of a stopped container are free: no {forwarder} listens, {the_daemon} has not "
         "given them away.", ports.port_is_free, "engine-1.13 §24 V9", lacks=w.forwarders),
    _row("V10", EVENTUALLY, "In the end a container with always runs again, unless people have ended it{or_stopped}.",
         v.always_runs_again, "engine-1.13 §24 V10", history.STOPS, w.policies),
    _row("V11", ALWAYS, "A container with unless-stopped that people have stopped is started by their request alone.",
         v.stays_stopped, "engine-1.13 §24 V11, §4", history.UNASKED_STARTS, w.an_api),
    _row("V11b", EVENTUALLY, "In the end a container with unless-stopped runs again, unless people have ended "
         "it{or_stopped}.", v.unless_stopped_runs_again, "engine-1.13 §24 V11, §23 T17", history.STOPS, w.policies),
    _row("V12", ALWAYS, "When {a_stop} succeeds the container does not run and is not said to.",
         v.stop_stops, "engine-1.13 §24 V12", history.STOP_ANSWERS),
    _row("V13", EVENTUALLY, "In the end every command has its answer.",
         v.every_command_is_answered, "engine-1.13 §24 V13"),
    _row("V14", ALWAYS, "Between two starts of a container there is one die, and between two dies one start.",
         v.one_die_a_start, "engine-1.13 §24 V14", history.LIVES),
    _row("V14b", EVENTUALLY, "In the end each run that is over has had its die.",
         v.every_end_has_its_die, "engine-1.13 §24 V14", history.LIVES),
    _row("V15", EVENTUALLY, "In the end {the_daemon} has heard of every exit that {the_keeper} has told.",
         v.no_exit_is_lost, "engine-1.13 §24 V15", history.EXIT_EVENTS, w.a_log_of_exits),
    _row("V16", ALWAYS, "There is at most {daemons}.",
         daemons.one_of_each_daemon, "engine-1.13 §24 V16", lacks=w.daemons),
    _row("V17", ALWAYS, "{The_daemon} signals its own children and the processes of containers, and nobody else.",
         daemons.signals_its_own, "engine-1.13 §24 V17", history.SIGNALS, w.a_daemon),
    _row("V18", ALWAYS, "{guest} dies with its {guest_home}.",
         daemons.dies_with_dockerd, "engine-1.13 §24 V18, §1.2", lacks=w.a_guest),
    _row("V19", ALWAYS, "{without_live_restore} program survives from one {daemon} into the time when the next one "
         "serves.", daemons.none_survives_a_restart, "engine-1.13 §24 V19", history.SURVIVORS,
         w.an_end_with_its_daemon),
    _row("V20", EVENTUALLY, "In the end every dead child has been reaped.",
         daemons.every_child_is_reaped, "engine-1.13 §24 V20"),
    _row("V21", ALWAYS, "No two containers use one address.",
         daemons.addresses_differ, "engine-1.13 §24 V21"),
    _row("V22", EVENTUALLY, "In the end a {daemon} that lives is connected with a living {keeper}.",
         daemons.containerd_is_back, "engine-1.13 §24 V22", lacks=w.a_keeper),
    _row("V23", ALWAYS, "No container's {queued} for another container's.",
         daemons.nobody_waits_for_another, "engine-1.13 §24 V23, §15", lacks=w.readers),
    _row("V24", ALWAYS, "A process number that the engine has written down names the process it was written for, or "
         "nobody.", daemons.numbers_mean_one_process, "engine-1.13 §24 V24"),
    _row("V25", ALWAYS, "A published port whose program answers stays open to remote and loopback clients{while_away}.",
         ports.ports_outlast_dockerd, "engine-1.13 §24 V25"),
    _row("V25b", ALWAYS, "No program waits in write(2) on its output while {the_daemon} does not serve or stands "
         "still.", daemons.nobody_waits_for_dockerd, "engine-1.13 §24 V25, §10", lacks=w.a_daemon),
    # -- plain laws -----------------------------------------------------------------------------------------------
    _row("every_parent_is_there", ALWAYS, "Every process but PID 1 has a parent that is there.",
         laws.every_parent_is_there, LAWS),
    _row("the_dead_have_no_living_children", ALWAYS, "No living process has a dead parent, but in a pid namespace "
         "that dies.", laws.the_dead_have_no_living_children, LAWS),
    _row("the_dead_hold_nothing", ALWAYS, "A zombie has no threads and no signals.",
         laws.the_dead_hold_nothing, LAWS),
    _row("a_namespace_dies_with_its_first_process", ALWAYS, "Who lives in a pid namespace whose first process is "
         "dead is about to be killed.", laws.a_namespace_dies_with_its_first_process, LAWS),
    _row("who_listens_lives", ALWAYS, "Whoever listens at an address lives.",
         laws.who_listens_lives, LAWS),
    _row("who_holds_a_fifo_lives", ALWAYS, "Whoever holds an end of a fifo lives.",
         laws.who_holds_a_fifo_lives, LAWS),
    _row("a_proxy_listens_where_its_words_say", ALWAYS, "A {forwarder} listens at the address that its command "
         "line names.", laws.a_proxy_listens_where_its_words_say, "engine-1.13 §1.1", lacks=w.forwarders),
    _row("containerd_s_pid_file_names_dockerd_s_child", ALWAYS, "{guest}'s pid file names the child that "
         "{the_daemon} waits for.", laws.containerd_s_pid_file_names_dockerd_s_child, "engine-1.13 §1.4",
         lacks=w.a_guest),
    _row("who_waits_for_its_restart_counts_as_running", ALWAYS, "A record that restarts is one that runs.",
         laws.who_waits_for_its_restart_counts_as_running, "engine-1.13 §4"),
    # -- guards ---------------------------------------------------------------------------------------------------
    _row("a_container_runs", SOMETIMES, "A container runs, and is said to.", guards.nothing_runs, GUARD),
    _row("a_port_answers", SOMETIMES, "A published port is open to remote clients.", guards.nothing_answers, GUARD),
    _row("a_shim_is_an_orphan", SOMETIMES, "A {holder} that was {holder_home}'s child is PID 1's.",
         guards.no_shim_is_an_orphan, GUARD, lacks=w.holders_below_a_daemon),
    _row("a_policy_restarts", SOMETIMES, "A policy has restarted a container.", guards.nothing_was_restarted, GUARD,
         lacks=w.policies),
    _row("a_container_ends", SOMETIMES, "A container is said to have ended.", guards.nothing_has_ended, GUARD),
    _row("dockerd_leaves", SOMETIMES, "No {daemon} lives.", guards.dockerd_never_left, GUARD, lacks=w.a_daemon),
)  # fmt: skip

PROPERTIES: dict[str, Property] = {row.name: row for row in ROWS}

NOT_MODELLED: dict[str, str] = {
    "V15": "events that a slow reader of docker events misses (100 ms): clients read at once",
    "V17": "in explored states a signal to a number that a stranger has got, since numbers do not come again there",
    "V24": "in explored states, since numbers do not come again there",
    "V25": "policies that nobody applies meanwhile (V10)",
}
"""V's of engine-1.13 §24 of which something is not modelled."""
