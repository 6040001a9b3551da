"""The text of a counterexample."""

from __future__ import annotations

from sim.drive.follow import find
from sim.engine.setup import Restart
from sim.experiment.counterexample import tell
from sim.render.counterexample import counterexample_text, paragraph_text, shortened
from sim.views.deeds import Deed
from tests.drive.lives import HASTY, WITH_PORT, setup_of
from tests.drive.stories import PLENTY, T28, WEB, replaced, story

SHOP = replaced(WITH_PORT, payload=HASTY.payload, restart=Restart("always"))
V3 = """\
V3 is violated: 2 faults, 2 context switches, 3 steps
A payload's parent is its shim.

    The host is up: docker.service runs, and web.
  1. step fault1: kill containerd; containerd dies of SIGKILL; the parent of shim/web is PID 1 now
  2. dockerd (wait_containerd): reap containerd (SIGKILL)
  3. step fault2: kill shim/web; shim/web dies of SIGKILL; the parent of payload/web is PID 1 now

Tree before 3:
systemd─┬─docker-containe─┬─web───2*[{web}]
        │                 └─9*[{docker-containe}]
        └─dockerd-current───12*[{dockerd-current}]

Tree after 3:
systemd─┬─docker-containe
        ├─dockerd-current───12*[{dockerd-current}]
        └─web───2*[{web}]

Until 3 it could have gone well: had dockerd (wait_containerd: note that containerd is gone) come before step
fault2 (kill shim/web).
"""

SHOT = """\
V7 is violated: 1 fault, 11 context switches, 56 steps

    The host is up: docker.service runs, and web.
  1. step fault1: kill shim/web; shim/web dies of SIGKILL; the parent of payload/web is PID 1 now
  2. containerd (waiter web): reap shim/web (SIGKILL); a payload that still runs has become an orphan, and is
     killed; SIGKILL to payload/web. (watcher web): see that the shim has closed the exit fifo; put an exit
     task into the main loop's queue. (main): take ExitTask web; start runc/web
  3. runc/web (state): find the container, tell what runs in it or set its limits; exit 0
  4. containerd: reap runc/web
  5. payload/web: die of SIGKILL
  6. init: reap payload/web (SIGKILL)
  7. containerd (waiter web): see that kill(pid, 0) fails for the orphan; keep 137 as the exit status. (main):
     see that the shim has been waited for, and its orphan has gone, if it was containerd's own child; start
     runc/web
  8. runc/web (delete): remove the runtime's state; exit 0
  9. containerd: reap runc/web; remove the container's state folder, or that of an exec'd process; see that
     the shim has been waited for, and its orphan has gone, if it was containerd's own child; drop the
     container and tell the subscriber its exit status
 10. dockerd (events): see that an event waits, or the stream has broken with its containerd; read one event;
     see that libcontainerd knows the container, now that the lock is held; forget the container, remove its
     bundle, hand the exit on, and note how far the stream was read. (state_exit web): ask the restart
     manager, believe that it has stopped or restarts, and say `die`; believe that web is restarting (137);
     `docker events`: die web (exit 137); begin with the first port that is mapped; send INT to the port's
     proxy; SIGINT to proxy/web
 11. proxy/web: take SIGINT. (close INT): exit 0
 12. dockerd (state_exit web): reap proxy/web; run iptables ×6; free the port, and go on with the next that is
     mapped; release the network, then unmount and write
"""


def test_a_story_in_full() -> None:
    """A story says what is violated, what happened by program, the trees about it, and the way not taken."""
    path, _ = story(WEB, *T28)
    sibling = find(story(WEB, *T28[:2])[1], "dockerd wait_containerd containerd_reaped")
    assert sibling is not None
    found = tell(WEB, path.actions, "V3", says="A payload's parent is its shim.", sibling=(len(path) - 1, sibling))
    assert counterexample_text(found) == V3


def test_a_longer_story_is_told_by_program() -> None:
    """A shim is killed: each program's part is a paragraph, its goroutines in brackets, what nobody sees cut short."""
    setup = replaced(setup_of(SHOP, begin="steady"), faults=PLENTY)
    path, _ = story(setup, "fault kill shim/web", "...", "dockerd state_exit/web clean_up")
    text = counterexample_text(tell(setup, path.actions, "V7"))
    assert text.partition("\n\nTree before 12:")[0] == SHOT.rstrip()
    assert max(len(line) for line in text.splitlines()) <= 110


def test_nothing_that_is_seen_is_cut() -> None:
    """Deaths and events stay, however long the run; what stands between is cut to its ends."""
    deeds = [Deed("", letter) for letter in "abcdef"]
    seen = Deed("", "exit 0", seen=True)
    assert [deed.text for deed in shortened([*deeds, seen, *deeds[:4]])] == [
        *("a", "b", "… 2 more", "e", "f"),
        "exit 0",
        *("a", "b", "c", "d"),
    ]


def test_goroutines_stand_in_brackets() -> None:
    """The main goroutine needs no name where it comes first."""
    deeds = (Deed("", "listen"), Deed("worker web", "start shim/web"), Deed("", "go on"))
    assert paragraph_text("containerd", deeds) == "containerd: listen. (worker web): start shim/web. (main): go on"
