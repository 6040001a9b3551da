"""How long something takes, as values: distributions by their quantile functions, and the duration of an op.

All times are in ms. Leaves out distributions without a quantile function in closed form, but for the normal one, which
the standard library inverts. Source: Devroye, Non-Uniform Random Variate Generation, 1986, ch. II.2 (inversion).
"""

from __future__ import annotations

from bisect import bisect_right
from math import exp
from statistics import NormalDist

import msgspec

NORMAL = NormalDist()
EDGE = 1e-9  # the quantile function of a normal distribution has no ends


class Uniform(msgspec.Struct, frozen=True):
    """Every value between *low* and *high*, in ms, is as likely as any other."""

    low: float
    high: float

    def at(self, u: float) -> float:
        """Return the value below which a share *u* of all lies."""
        return self.low + (self.high - self.low) * u


class Fixed(msgspec.Struct, frozen=True):
    """Always *value*, in ms."""

    value: float

    def at(self, u: float) -> float:
        """Return the value."""
        return self.value


class LogNormal(msgspec.Struct, frozen=True):
    """*shift* and a value whose logarithm is normal, with this *median* and standard deviation *sigma*; ms.

    Values below 0, which a negative shift may give, count as 0.

    >>> LogNormal(20.0, 0.3, shift=5.0).at(0.5)
    25.0
    """

    median: float
    sigma: float
    shift: float = 0.0

    def at(self, u: float) -> float:
        """Return the value below which a share *u* of all lies."""
        z = NORMAL.inv_cdf(min(max(u, EDGE), 1.0 - EDGE))
        return max(self.shift + self.median * exp(self.sigma * z), 0.0)


class Quantiles(msgspec.Struct, frozen=True):
    """Straight lines between known quantiles: *values*, in ms, at *shares*, both rising; shares go from 0 to 1.

    >>> Quantiles((0.0, 0.5, 1.0), (10.0, 12.0, 30.0)).at(0.75)
    21.0
    """

    shares: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, u: float) -> float:
        """Return the value below which a share *u* of all lies."""
        shares, values = self.shares, self.values
        right = min(max(bisect_right(shares, u), 1), len(shares) - 1)
        left = right - 1
        part = (u - shares[left]) / (shares[right] - shares[left])
        return values[left] + (values[right] - values[left]) * part


Distribution = Uniform | Fixed | LogNormal | Quantiles
ZERO = Fixed(0.0)


class Duration(msgspec.Struct, frozen=True):
    """What an action takes: work on a core and wait, in ms; *scale* spreads a timer about its nominal time.

    *mark* says how the numbers are known: S source, M measured, K from knowledge, C computed, E observed, A assumed.
    The work keeps *cores* cores busy while it goes on: more than 1 for a program with threads.
    Rows with the same *together* have one draw for a container and occurrence: they are slow or quick together, as of a
    phase of which only the whole was measured. An op that happens *repeats* times in the phase has one for all of them.
    """

    work: Distribution = ZERO
    wait: Distribution = ZERO
    scale: Distribution | None = None
    mark: str = ""
    together: str = ""
    repeats: int = 1
    cores: float = 1.0


Profile = dict[str, Duration]
Row = tuple[str, Duration]


def scaled(distribution: Distribution, factor: float, plus: float = 0.0) -> Distribution:
    """Return the distribution of *factor* times the value, and *plus* ms more.

    >>> scaled(Uniform(1.0, 3.0), 2.0, 1.0)
    Uniform(low=3.0, high=7.0)
    """
    match distribution:
        case Uniform(low=low, high=high):
            return Uniform(low * factor + plus, high * factor + plus)
        case Fixed(value=value):
            return Fixed(value * factor + plus)
        case LogNormal(median=median, sigma=sigma, shift=shift):
            return LogNormal(median * factor, sigma, shift * factor + plus)
        case Quantiles(shares=shares, values=values):
            return Quantiles(shares, tuple(value * factor + plus for value in values))
