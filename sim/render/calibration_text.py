"""The tables of a calibration: what was measured of each phase, what was fitted, what the model then gives.

Source: the project's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sim.durations import Distribution, Fixed, LogNormal, Quantiles, Uniform
from sim.render.amounts import MINUS
from sim.views.calibration import Calibration, Demand, Load, Phase

HEAD = "phase,n,median,p95,sd,fitted,D,p,held out,model median,p95,D".split(",")
LOADS = "at once,n,measured median,model,error,measured p95,model,error,per s,model,error,".split(",")
NOTES = """\
times in ms · D: greatest distance of the distribution functions (Kolmogorov, Smirnov)
p: how often a sample of the fit, fitted anew, lies as far off; the parameters come from the same rows, so that tables
   of the test do not hold (parametric bootstrap) · chosen: the fewest parameters with p ≥ 0.05, else quantiles
held out: p of every second row against a fit to the others
model: over runs with the profile, median and p95 by their errors, as parts of what was measured"""


def calibration_text(found: Calibration) -> str:
    """Return what `shimulator calibrate` prints."""
    parts = [f"{found.name} · {found.design} · shares of {found.base}", _phases(found.phases), NOTES]
    divided = [it for it in found.phases if len(it.shares) > 1]
    if divided:
        title = "One sum, several ops: divided by the shares that they have in the base profile, one draw for all."
        parts.append("\n".join([title, *(f"  {it.name}: {_shares(it)}" for it in divided)]))
    compared = [it for it in found.phases if it.why]
    if compared:
        parts.append("Compared, not fitted:\n" + "\n".join(f"  {it.name}: {it.why}" for it in compared))
    if found.demand is not None:
        parts.append(demand_text(found.demand))
    if found.loads:
        parts.append(loads_text(found.loads))
    for title, rows in (("Not used:", [": ".join(it) for it in found.left_out]), ("Beware:", list(found.warnings))):
        if rows:
            parts.append("\n".join([title, *(f"  {row}" for row in dict.fromkeys(rows))]))
    return "\n\n".join(parts)


def _phases(phases: Iterable[Phase]) -> str:
    return table(HEAD, [_row(it) for it in phases])


def _row(it: Phase) -> tuple[str, ...]:
    fit, model = it.chosen, it.modelled
    fitted = "–" if fit is None or it.why else distribution_text(fit.distribution)
    held = "–" if it.held_out is None else f"{it.held_out.p:.2f}"
    return (
        it.name, str(len(it.sample.values)), number(it.median), number(it.p95), number(it.sd), fitted,
        "–" if fit is None else f"{fit.ks:.3f}", "–" if fit is None or fit.p is None else f"{fit.p:.3f}", held,
        *(("–",) * 3 if model is None else (percent(model.median_error), percent(model.p95_error), f"{model.ks:.3f}")),
    )  # fmt: skip


def distribution_text(it: Distribution) -> str:
    """Return a distribution in a few words.

    >>> distribution_text(LogNormal(104.0, 0.0751, 2.0))
    'lognormal 104, σ 0.075, from 2.00'
    """
    match it:
        case LogNormal(median=median, sigma=sigma, shift=shift):
            start = f", from {number(shift)}" if shift else ""
            return f"lognormal {number(median)}, σ {sigma:.3f}{start}"
        case Quantiles(shares=shares, values=values):
            return f"{len(shares)} quantiles, {number(values[0])} to {number(values[-1])}"
        case Uniform(low=low, high=high):
            return f"{number(low)} to {number(high)}"
        case Fixed(value=value):
            return number(value)


def _shares(it: Phase) -> str:
    return ", ".join(f"{share.row} {share.share:.0%}" for share in it.shares)


def demand_text(it: Demand) -> str:
    """Return where the core time of a start comes from."""
    return (
        f"Core time of a start: {it.demand_s * 1e3:.0f} ms, of which {it.own_s * 1e3:.0f} ms are waited for: its work "
        f"keeps {it.factor:g} cores busy.\n"
        f"  By the rate of {it.file} with {it.at_once} at once, {it.rate:.2f} starts/s on "
        f"{it.cores} cores, which they fill (service demand law); no other row of it went into the profile."
    )


def loads_text(loads: Sequence[Load]) -> str:
    """Return the table of many starts at once, a part a phase."""
    parts = []
    for phase in dict.fromkeys(it.phase for it in loads):
        rows = [_load(it) for it in loads if it.phase == phase]
        files = ", ".join(dict.fromkeys(it.file for it in loads if it.phase == phase))
        parts.append(f"{phase} of {files}\n" + table(LOADS, rows))
    return "\n\n".join(parts)


def _load(it: Load) -> tuple[str, ...]:
    rates = ("–",) * 3 if it.rate is None else _pair(it.rate, it.model_rate, "{:.2f}".format)
    times = (*_pair(it.median, it.model_median, number), *_pair(it.p95, it.model_p95, number))
    return (str(it.at_once), str(it.n), *times, *rates, it.used)


def _pair(measured: float, model: float, write: Callable[[float], str]) -> tuple[str, str, str]:
    return write(measured), write(model), percent(model / measured - 1)


# -- words ------------------------------------------------------------------------------------------


def number(value: float) -> str:
    """Return ms in three digits that matter.

    >>> number(104.22), number(8.871), number(1061.14)
    ('104', '8.87', '1061')
    """
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def percent(part: float) -> str:
    """Return an error with its sign.

    >>> percent(0.046), percent(-0.0004)
    ('+4.6 %', '0.0 %')
    """
    text = f"{part * 100:+.1f}"
    return ("0.0" if text in ("+0.0", "-0.0") else text.replace("-", MINUS)) + " %"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows below their heads; words to the left, numbers to the right."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    words = {place for place, name in enumerate(head) if name in ("phase", "fitted", "")}
    lines = [
        "  ".join(
            text.ljust(width) if place in words else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)
