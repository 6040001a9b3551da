#!/bin/sh
# Record what a host's container engine does while somebody does something to it (docs/truth.md). It only reads: nothing
# on the host is changed, and all files are written into FOLDER.
#
#     sh record.sh FOLDER [SECONDS]          records for SECONDS, or until Enter
#     ENGINE=podman PORTS="80 443" sh record.sh FOLDER 120
#
# ENGINE is docker (default) or podman. PORTS are polled on 127.0.0.1 with curl each 0.2 s. Root sees more: ss names the
# listeners' programs, iptables-save needs it.
set -u
folder=${1:?"usage: sh record.sh FOLDER [SECONDS]"}
engine=${ENGINE:-docker}
mkdir -p "$folder" || exit 1

snapshot() {  # before or after: what an operator would look at
    to=$folder/$1
    mkdir -p "$to"
    date +%s.%N > "$to/when.txt"
    "$engine" ps -a --no-trunc > "$to/ps-a.txt" 2>&1
    ids=$("$engine" ps -aq 2>/dev/null)
    # shellcheck disable=SC2086  # one word each
    [ -n "$ids" ] && "$engine" inspect $ids > "$to/inspect.json" 2>&1
    ps -eo pid,ppid,pgid,sid,nlwp,stat,lstart,comm,args > "$to/ps.txt" 2>&1
    ss -ltnup > "$to/ss.txt" 2>&1
    iptables-save -t nat > "$to/iptables-nat.txt" 2>&1
    for status in /proc/[0-9]*/status; do  # SigCgt says whether a program handles its stop signal
        grep -HE '^(Name|NSpid|SigIgn|SigCgt):' "$status" 2>/dev/null
    done > "$to/signals.txt"
}

poll() {  # a line whenever a port's answer changes; a connection is made, nothing is sent but a GET
    last=
    while :; do
        curl -s -o /dev/null -m 0.25 "http://127.0.0.1:$1/" 2>/dev/null
        code=$?
        [ "$code" = "$last" ] || echo "$(date +%s.%N) curl exits with $code" >> "$folder/port-$1.txt"
        last=$code
        sleep 0.2
    done
}

{
    "$engine" version
    "$engine" info
    uname -a
    cat /proc/loadavg
    stat -fc 'cgroup: %T' /sys/fs/cgroup  # cgroup2fs: v2
    systemctl show -p Type,KillMode,Restart,TimeoutStopUSec,ExecStart docker.service containerd.service
    cat /etc/docker/daemon.json
} > "$folder/host.txt" 2>&1
snapshot before
"$engine" events --format '{{json .}}' > "$folder/events.jsonl" 2>&1 &
jobs=$!
for port in ${PORTS:-}; do
    poll "$port" &
    jobs="$jobs $!"
done
# shellcheck disable=SC2064,SC2086  # as they are now, one word each
trap "kill $jobs 2>/dev/null" EXIT
echo "Recording into $folder. In another terminal note each thing that you do, with its moment, and do it:"
echo "    date +\"%s.%N kill -9 PID of the shim of web\" >> $folder/acts.txt; kill -9 PID"
if [ -n "${2:-}" ]; then sleep "$2"; else echo "Enter ends the recording."; read -r _; fi
snapshot after
echo "Recorded: $folder"
