"""Check what a picture of process trees says: boxes, what became of each process, and the finding."""

import networkx

from sim.experiment.run import run
from sim.views.forest import GONE, HERE, MOVED, NEW, SAME, Forest, compared, finding, forest


def pair(scenario: str, *moments: str) -> tuple[Forest, Forest]:
    """Return the trees of a run at two moments, compared."""
    found = run(scenario)
    one, other = (forest(found.tree(at), at) for at in moments)
    return compared(one, other)


def test_parents_stand_before_children_and_siblings_in_the_order_of_roles() -> None:
    """containerd stands above the proxies, each payload under its shim."""
    boxes = forest(run("document").tree("kill-1s")).boxes
    assert all(box.parent < place for place, box in enumerate(boxes))
    assert [box.role for box in boxes][:5] == ["init", "dockerd", "containerd", "shim", "payload"]
    assert {boxes[box.parent].role for box in boxes if box.role == "proxy"} == {"dockerd"}
    assert not any(box.orphan or box.change for box in boxes)


def test_a_killed_dockerd_moves_shims_and_nothing_else() -> None:
    """Shims move to PID 1 with their payloads below them; daemons and proxies are gone, new daemons are new."""
    before, after = pair("document", "kill-1s", "kill+500ms")
    assert {box.role for box in after.boxes if box.change == MOVED} == {"shim"}
    assert {box.role for box in before.boxes if box.change == GONE} == {"dockerd", "containerd", "proxy"}
    assert {box.role for box in after.boxes if box.change == NEW} == {"dockerd", "containerd"}
    assert {box.change for box in after.boxes if box.role == "payload"} == {SAME}
    assert {box.role for box in after.boxes if box.orphan} == {"shim"}
    words = "moved to PID 1: 6 shims; gone: dockerd, containerd and 6 proxies; new: dockerd and containerd"
    assert finding([before, after]) == words


def test_two_runs_are_compared_by_role_and_container() -> None:
    """Pids of two runs say nothing: what one run has and the other has not is told by its name."""
    one, other = (run(name) for name in ("document", "document-live-restore"))
    trees = compared(forest(one.tree("end")), forest(other.tree("end")), by_pid=False)
    assert finding(trees) == "under PID 1 in the second alone: 6 shims"
    trees = compared(forest(one.tree("kill+5s")), forest(other.tree("kill+5s")), by_pid=False)
    assert {box.role for box in trees[1].boxes if box.change == HERE} == {"shim", "payload", "proxy"}
    assert finding(compared(forest(one.tree()), forest(one.tree()), by_pid=False)) == "both trees are the same"


def test_zombies_and_stopped_processes_are_found() -> None:
    """One tree's finding names what is wrong in it."""
    graph: networkx.DiGraph[int] = networkx.DiGraph([(1, 2), (1, 3), (1, 4)])
    graph.nodes[1].update(role="init")
    graph.nodes[2].update(role="shim", state="Z", orphan=True)
    graph.nodes[3].update(role="dockerd", state="T")
    graph.nodes[4].update(role="dockerd")
    assert finding([forest(graph)]) == "under PID 1: 1 shim; zombies: 1 shim; stopped by a signal: dockerd"
    assert [box.pid for box in forest(graph, root=3).boxes] == [3]
