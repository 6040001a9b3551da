"""Packages that bring docker.service: docker-ce as deb and as rpm, and Debian's docker.io.

docker-ce up to 18.09 as rpm, and up to 19.03 as deb, stops the service before its files are replaced and starts it
afterwards: it is down while they are unpacked. Later ones restart it behind that. deb-systemd-invoke starts what is
enabled, so that a deb's upgrade also starts a service that somebody has stopped. Debian's docker.io is built with
--no-stop-on-upgrade: its postinst asks for a start alone, so that a dockerd that runs stays as it is, the old one,
until somebody restarts it. Source: docker-ce-packaging 17.06 rpm/fedora-25/docker-ce.spec 167-200 and 18.09
rpm/SPECS/docker-ce.spec 78-148 (%pre, %posttrans), 19.03 to 28.x %systemd_postun_with_restart; deb/common/compat 9 up
to 19.03, 10 in 20.10, debhelper-compat 12 since 24.0; dh_installsystemd(1), and its autoscripts prerm-systemd,
postinst-systemd-restart; deb-systemd-invoke 111-150; docker.io 26.1.5+dfsg1-9 prerm 23-27, postinst 100-106 [S].
"""

from __future__ import annotations

from sim.engine.packages import Number, Package, Scripts, always
from sim.engines.containerd import packages as containerd

NO_PRE = (19, 3)  # the first rpm that only restarts
COMPAT_10 = (20, 10)  # the first deb whose debhelper restarts after the upgrade
FIRST_CE = (17, 6)


def rpm(before: Number, after: Number) -> Scripts:
    """Return what docker-ce's rpm does: the new package's %pre and %posttrans, else the old one's %postun.

    >>> rpm((17, 6), (18, 9)), rpm((18, 9), (26,))
    (Scripts(then='start', stops=True, if_it_ran=True), Scripts(then='try-restart', stops=False, if_it_ran=False))
    """
    return Scripts("start", stops=True, if_it_ran=True) if after < NO_PRE else Scripts("try-restart")


def deb(before: Number, after: Number) -> Scripts:
    """Return what docker-ce's deb does: the old package's prerm, then the new one's postinst.

    >>> deb((19, 3), (20, 10)), deb((26,), (28,))
    (Scripts(then='restart', stops=True, if_it_ran=False), Scripts(then='restart', stops=False, if_it_ran=False))
    """
    return Scripts("start" if after < COMPAT_10 else "restart", stops=before < COMPAT_10)


PACKAGES = {
    "docker-ce.deb": Package(deb, "docker-ce-packaging deb/common", since=FIRST_CE),
    "docker-ce.rpm": Package(rpm, "docker-ce-packaging rpm/SPECS/docker-ce.spec", since=FIRST_CE),
    "docker.io.deb": Package(always("start"), "Debian docker.io 26.1.5+dfsg1-9 postinst 100-106", since=(18, 9)),
    **containerd.PACKAGES,
}
