#!/bin/sh
# Become a systemd that is PID 1 of new namespaces: $1 is a directory with units/ and the fifo kmsg, $2 the binary.
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind "$1/units" /etc/systemd/system
mount --bind "$1/console" /dev/console
mount --bind "$1/kmsg" /dev/kmsg
exec 9<>/dev/kmsg
export container=lxc SYSTEMD_LOG_RATELIMIT_KMSG=0
exec "$2" --system --unit=only.target --log-target=kmsg --log-level=debug
