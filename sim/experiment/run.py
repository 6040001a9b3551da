"""One run of one scenario, and everything that can be asked of it: worlds, trees, texts, verdicts.

This is what `sim.run` returns. Source: the project's Python interface.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import msgspec

from sim.designs import DESIGNS
from sim.drive.follow import driver_of
from sim.engine.setup import Microseconds
from sim.engines.host.reach import CLIENTS, reachable
from sim.errors import InputError, Problem, nearest
from sim.experiment.pictures import first_fault, names_of, timeline_picture, tree_picture
from sim.experiment.played import Played
from sim.predicates import found_at
from sim.render.cards import facts, run_html
from sim.render.notebook import Picture, Text
from sim.render.registry import VIEWS
from sim.scenario import Scenario, instant, load, reload
from sim.views.fates import KEPT, Fate, fates
from sim.views.fault import first_harm, since_words
from sim.views.host_start import containers_begun, in_rounds, units_at_boot, units_started
from sim.views.moments import Moments
from sim.views.narrate import narrate, not_taken, published, unanswered
from sim.views.summary import MomentText, Summary, VerdictLine

if TYPE_CHECKING:
    from pandas import DataFrame

    from sim.experiment.replicate import Progress
    from sim.render.report import Page
    from sim.views.interval_parts import Intervals
    from sim.views.remedies import Remedies
    from sim.views.timeline_parts import TimelineData
    from sim.views.why import Why

DEFAULT_EPOCH = 1_577_836_800


class Run(Played):
    """A scenario and its trace. Moments are instants as in scenario files (`kill+500ms`), or clock values in µs.

    >>> run = run_scenario(load("x.yaml", "services: {web: {image: nginx, ports: ['80:80']}}"))
    >>> print(run.show("pstree", root="containerd"), end="")
    docker-containe─┬─docker-containe─┬─nginx
                    │                 └─9*[{docker-containe}]
                    └─16*[{docker-containe}]
    """

    def answer(self, question: str, at: str | Microseconds | None = None) -> Why:
        """Return why a fact is so: `container web`, `port 80 from remote`, `process shim/web`. Raises InputError."""
        from sim.views.why import Unknown, why

        try:
            return why(self.trace, question, self.moment(at))
        except Unknown as unknown:
            raise InputError([Problem(f"'{question[:80]}'", str(unknown), "")]) from None

    def why(self, question: str, at: str | Microseconds | None = None) -> Text:
        """Return the answer to a question in lines: the fact, then its causes, nearest first. Raises InputError.

        >>> run = run_scenario(load("x.yaml", "{services: {web: {}}, steps: [{id: kill, at: 9s, kill: shim/web}]}"))
        >>> print(run.why("container web").splitlines()[0])
        container web is exited (137)
        """
        from sim.render.why_text import why_text

        return Text(why_text(self.answer(question, at), self.trace.origin))

    def reachable(self, port: int, client: str = "remote", at: str | Microseconds | None = None) -> bool:
        """Say whether clients of a class (remote, loopback, container) reach a published port at a moment.

        >>> run = run_scenario(load("x.yaml", "services: {web: {image: nginx, ports: ['80:80']}}"))
        >>> run.reachable(80, "loopback")
        True
        """
        if client not in CLIENTS:
            raise InputError([Problem(repr(client), "no such class of clients", f"Valid: {', '.join(CLIENTS)}.")])
        return reachable(self.at(at), port, client)

    def finds(self, port: int, client: str = "remote", at: str | Microseconds | None = None) -> str:
        """Return what a connect of a class of clients finds at a published port at a moment (docs/expect.md).

        >>> run = run_scenario(load("x.yaml", "services: {web: {image: nginx, ports: ['80:80']}}"))
        >>> run.finds(80, "remote6"), run.finds(80, "dns")
        ('answered', 'unresolved')
        """
        if client not in CLIENTS:
            raise InputError([Problem(repr(client), "no such class of clients", f"Valid: {', '.join(CLIENTS)}.")])
        return found_at(self.at(at), port, client)

    # -- tables -------------------------------------------------------------------------------------

    def rows(self, table: str, since: str | Microseconds | None = None) -> list[dict[str, Any]]:
        """Return a tidy table as rows: events, processes, intervals, ports or containers (docs/python.md).

        Times are seconds from t = 0, or from *since*; that is from when on containers are looked at. Raises InputError.

        >>> run = run_scenario(load("x.yaml", "services: {web: {image: nginx}}"))
        >>> [(row["action"], row["container"]) for row in run.rows("events")][-1]
        ('start', 'web')
        """
        from sim.views.frames import COLUMNS, rows

        if table not in COLUMNS:
            hint = f"{nearest(table, COLUMNS)} Valid: {', '.join(COLUMNS)}.".strip()
            raise InputError([Problem(repr(table), "there is no such table", hint)])
        return rows(self.trace, table, None if since is None else self.moment(since))

    def to_frame(self, table: str = "events", since: str | Microseconds | None = None) -> DataFrame:
        """Return a table of `rows` as a pandas DataFrame; what a column means stands in its `attrs`."""
        from sim.experiment.frame import frame
        from sim.views.frames import COLUMNS

        return frame(self.rows(table, since), COLUMNS[table])

    def fates(self, since: str | Microseconds | None = None) -> tuple[Fate, ...]:
        """Return what became of each container since a moment, by default the first fault, and why. Raises InputError.

        >>> run = run_scenario(load("x.yaml", "{services: {web: {}}, steps: [{id: kill, at: 9s, kill: shim/web}]}"))
        >>> [(it.container, it.fate, it.exit_code) for it in run.fates()]
        [('web', 'lost', 137)]
        """
        return fates(self.trace, None if since is None else self.moment(since))

    def remedies(self, jobs: int | None = None, progress: Progress | None = None) -> Remedies:
        """Return which settings would have helped, the best first: the run is repeated with each, on *jobs* processes.

        >>> run = run_scenario(load("x.yaml", "{services: {web: {}}, steps: [{id: kill, at: 9s, kill: shim/web}]}"))
        >>> [(it.words, it.outcome.fates) for it in run.remedies().helps][0]
        ('restart: always', {'new process': 1})
        """
        from sim.experiment.remedies import remedies

        return remedies(self.scenario, self.trace, jobs, progress)

    # -- the same again -----------------------------------------------------------------------------

    def again(self, *settings: str, seed: int | None = None) -> Run:
        """Run the scenario again, with other settings (`PATH=VALUE`) or another seed. Raises InputError.

        What both runs have in common takes as long in both: they share its draws.
        """
        changed = reload(self.scenario, settings) if settings else self.scenario
        return run_scenario(changed, self.trace.seed if seed is None else seed)

    # -- verdicts -----------------------------------------------------------------------------------

    def verdicts(self) -> tuple[VerdictLine, ...]:
        """Return what became of each expectation."""
        from sim.scenario.verdict import evaluate

        found = evaluate(self.scenario, self.trace, lambda table, view, root: VIEWS[view](table, root))
        return tuple(VerdictLine(v.holds, v.label, v.text, v.detail) for v in found)

    def intervals(self) -> Intervals:
        """Return the run as intervals of engine, containers and ports; µs from t = 0.

        >>> run = run_scenario(load("x.yaml", "services: {web: {image: nginx, ports: ['80:80']}}"))
        >>> [interval.state for interval in run.intervals().lane("web").intervals][-1]
        'running'
        """
        from sim.views.intervals import intervals

        return intervals(self.trace)

    # -- pictures -----------------------------------------------------------------------------------

    def timeline(
        self, title: str | None = None, start: str | None = None, stop: str | None = None, by: str = "container"
    ) -> TimelineData:
        """Return what `plot` draws: the run from its first fault on, or from *start* to *stop*. Raises InputError."""
        from sim.views.timeline import WAYS, timeline_data

        if by not in WAYS:
            hint = f"{nearest(by, WAYS)} Valid: {', '.join(WAYS)}.".strip()
            raise InputError([Problem("--by", f"a timeline does not go by {by!r}", hint)])
        window = self._since("--from", start), self._since("--to", stop)
        words = self.scenario.title or self.scenario.name if title is None else title
        data = timeline_data(self.trace, title=words, window=window, by=by)
        if data.end <= data.begin:
            what = f"the picture would begin {f'at {start}' if start else 'a minute before the first fault'} and end at"
            hint = "The earlier moment comes first." if start else "Give --from, too."
            raise InputError([Problem("--from/--to", f"{what} {stop or 'end'}", hint)])
        return data

    def _since(self, option: str, at: str | None) -> Microseconds | None:
        """Return a moment in µs from t = 0, None if none is given. Raises InputError, which names the option."""
        if at is None:
            return None
        try:
            return self.moment(at) - self.trace.origin
        except InputError as error:
            problems = [msgspec.structs.replace(problem, where=f"{option} {at}") for problem in error.problems]
            raise InputError(problems) from None

    def plot(self, *others: Run, start: str | None = None, stop: str | None = None, by: str = "container") -> Picture:
        """Draw the timeline of this run, and of another one below it; `.save("x.png")` writes it. Raises InputError.

        *by* says what the lanes are: container, process or role.

        >>> run = run_scenario(load("x.yaml", "{services: {web: {}}, steps: [{id: kill, at: 9s, kill: shim/web}]}"))
        >>> run.plot().caption
        'Timeline: A killed shim of web: the container is gone'
        """
        runs = (self, *others)
        names = names_of(runs) if others else [None]
        return timeline_picture([run.timeline(name, start, stop, by) for run, name in zip(runs, names, strict=True)])

    def trees(self, *moments: str, beside: Run | None = None) -> Picture:
        """Draw the process tree at a moment, or at two with what became of each process; by default about the fault.

        *beside* is another run, for one moment of both. Raises InputError.

        >>> run = run_scenario(load("x.yaml", "{services: {web: {}}, steps: [{id: kill, at: 9s, kill: shim/web}]}"))
        >>> run.trees("kill-1s", "kill+1s").caption
        'Process trees, kill-1s and kill+1s: gone: 1 shim and 1 payload'
        """
        return tree_picture((self,) if beside is None else (self, beside), moments)

    # -- reports ------------------------------------------------------------------------------------

    def report(self) -> Text:
        """Return what `shimulator run` prints: the story, trees, expectations."""
        from sim.render.run_text import run_text

        return Text(run_text(self.summary()))

    def tell(self) -> Text:
        """Return the story alone, line by line: what happened when."""
        from sim.render.run_text import run_text

        return Text(run_text(msgspec.structs.replace(self.summary(pictures=False), verdicts=(), containers=())))

    def page(self, start: str | None = None, stop: str | None = None) -> Page:
        """Return what `shimulator report` writes: one HTML page with a slider through the run; `.save("x.html")`.

        *start* and *stop* are those of `plot`. Raises InputError.
        """
        from sim.experiment.report import report

        return report(self, self.timeline(None, start, stop), self.summary(pictures=False))

    def __repr__(self) -> str:
        return f"<{facts(self.summary(pictures=False))}>"

    def _repr_html_(self) -> str:
        return run_html(self.summary(pictures=False), self.plot())

    def summary(self, *, pictures: bool = True) -> Summary:
        """Return what the report says."""
        setup = self.trace.setup
        design = DESIGNS[setup.engine.design]
        return Summary(
            title=self.scenario.title or self.scenario.name,
            source=self.scenario.source,
            engine=f"{design.name} ({design.title})",
            live_restore=setup.engine.daemon.live_restore if design.traits.live_restore else None,
            client=design.traits.client,
            unit=design.traits.engine_unit if design.traits.engine in design.programs else "",
            profile=setup.engine.profile,
            seed=self.trace.seed,
            assumptions=tuple(self.scenario.assumptions),
            without_effect=tuple(self.scenario.without_effect),
            origin=self.trace.origin,
            end=self.trace.end,
            epoch=setup.host.epoch,
            tz_minutes=setup.host.tz_minutes,
            wall_clock=setup.host.epoch != DEFAULT_EPOCH,
            ports=len(published(setup)),
            skipped=self.trace.skipped,
            lines=narrate(self.trace),
            pictures=self._pictures() if pictures else (),
            verdicts=self.verdicts(),
            note=self.trace.note,
            unanswered=unanswered(self.trace),
            not_taken=not_taken(self.trace),
            begun=containers_begun(self.trace),
            at_boot=units_at_boot(design),
            started=units_started(self.trace, design),
            left_out=self.trace.left_out,
            rounds_of=in_rounds(self.trace),
            containers=self._worth_telling(),
            since=since_words(self.trace),
        )

    def _worth_telling(self) -> tuple[Fate, ...]:
        """Return what became of the containers, unless nothing has happened to any of them."""
        found = self.fates()
        return found if first_harm(self.trace.setup) or any(it.fate != KEPT for it in found) else ()

    def _pictures(self) -> tuple[MomentText, ...]:
        """Show the tree just before and just after the first fault; without one, at the end."""
        fault = first_fault(self.scenario)
        if fault is None:
            return (MomentText("Tree at the end", "pstree", self.show("pstree")),)
        moment = Moments(self.trace).at(instant(fault.id, self.scenario))
        if moment is None:
            return ()
        before, after = moment - 1_000_000, min(moment + 500_000, self.trace.end)
        return (
            MomentText(f"Tree at {fault.id}-1s", "pstree", self.show("pstree", before)),
            MomentText(f"Tree at {fault.id}+500ms", "pstree", self.show("pstree", after)),
        )


def run_scenario(scenario: Scenario, seed: int = 1, **options: Any) -> Run:
    """Run a scenario once, in the order that it gives, if any."""
    return Run(scenario, driver_of(scenario.setup, seed, **options).run())


def run(path: str | PathLike[str], seed: int = 1, settings: tuple[str, ...] = ()) -> Run:
    """Load a scenario file or a bundled one by name, run it once, and return the run. Raises InputError."""
    return run_scenario(load(path, settings=settings), seed)
