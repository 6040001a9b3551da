"""Packages that bring containerd.service: Docker's containerd.io, and Debian's containerd.

containerd.io as deb asks for restart, which starts a unit that somebody has stopped, too; as rpm for try-restart, which
does not. Source: docker/containerd-packaging 2161c61 rpm/containerd.spec 139-148, debian/rules 67-69 (dh_systemd_start
--restart-after-upgrade; try-restart is edited into restart); Debian's containerd 1.7.24~ds1-6, postinst 21-31 [S].
"""

from sim.engine.packages import Package, always

DEB = "docker/containerd-packaging 2161c61 debian/rules 67-69"
RPM = "docker/containerd-packaging 2161c61 rpm/containerd.spec 147-148"
DEBIAN = "Debian containerd 1.7.24~ds1-6 postinst 21-31"
PACKAGES = {
    "containerd.io.deb": Package(always("restart"), DEB, "containerd"),
    "containerd.io.rpm": Package(always("try-restart"), RPM, "containerd"),
    "containerd.deb": Package(always("restart"), DEBIAN, "containerd"),
}
