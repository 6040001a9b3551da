#!/bin/sh
# Gathers what tells of a host's containers into one text, for `shimulator init my.yaml FILE`:
#   sh collect.sh > host.txt
# It only reads: it starts, stops and changes nothing, writes no file, and talks to nobody but this host's own engine.
# Values of environment variables, labels and build arguments, and whatever looks like a credential, are taken out here,
# before anything leaves this host: names stay, values become "…". Look through host.txt before you send it.
# Needs sh, awk and sed, of coreutils or busybox.

LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

word='([Pp][Aa][Ss][Ss]|[Pp][Ww][Dd]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Tt][Oo][Kk][Ee][Nn]|[Cc][Rr][Ee][Dd]|[Aa][Uu][Tt][Hh]'
word=$word'|[Kk][Ee][Yy]|[Dd][Ss][Nn]|[Ss][Aa][Ll][Tt]|[Jj][Ww][Tt]|[Cc][Oo][Oo][Kk][Ii][Ee]|[Ww][Ee][Bb][Hh][Oo][Oo][Kk])'
name="[A-Za-z0-9_.-]*$word[A-Za-z0-9_.-]*"
value="(\"[^\"]*\"|'[^']*'|[^][:space:]\"',;&|)}{]+)"

# URL://user:password@, name=value, "name": "value", --name value, NAME=value, -e NAME=value, Bearer value
clean() {
    sed -E \
        -e "s#([A-Za-z][A-Za-z0-9+.-]*://)[^/@[:space:]\"']*@#\\1…@#g" \
        -e "s#([Bb]earer|[Bb]asic)([[:space:]]+)[A-Za-z0-9+/=_.-]{8,}#\\1\\2…#g" \
        -e "s#($name\"[[:space:]]*:[[:space:]]*)\"([^\"\\\\]|\\\\.)*\"#\\1\"…\"#g" \
        -e "s#($name[=:][[:space:]]?)$value#\\1…#g" \
        -e "s#(--?$name[[:space:]]+)([^-[:space:]][^[:space:]]*)#\\1…#g" \
        -e "s#(^|[[:space:]\"'])([A-Z][A-Z0-9_]+=)[^[:space:]\"']+#\\1\\2…#g" \
        -e "s#((-e|--env|--build-arg|-l|--label)[[:space:]=]+[A-Za-z_][A-Za-z0-9_.-]*=)$value#\\1…#g" \
        -e "s#^([[:space:]]*Environment=).*#\\1…#"
}

# Values below "Env" and "Labels" of an indented JSON, and the word behind a flag whose name tells of a credential.
without_values() {
    awk '
        /^ *"(Env|env|envs)": \[/ { env = 1 }
        /^ *"(Labels|labels|annotations|Annotations)": \{/ && !/\}/ { label = 1 }
        env && /^ *\]/ { env = 0 }
        label && /^ *\}/ { label = 0 }
        env && /^ *"[^"=]*=/ { sub(/=.*"/, "=…\"") }
        env && /^ *"value": "/ { sub(/": ".*"/, "\": \"…\"") }
        label && /": "/ && !/"com\.docker\.compose\.(service|project)"|"io\.kubernetes\./ { sub(/": ".*"/, "\": \"…\"") }
        hidden { if ($0 ~ /^ *"/) sub(/".*"/, "\"…\""); hidden = 0 }
        { low = tolower($0)
          if (low ~ /^ *"--?[a-z0-9_.-]*(pass|secret|token|key|cred|auth)[a-z0-9_.-]*",?$/) hidden = 1
          print }
    '
}

has() { command -v "$1" >/dev/null 2>&1; }

# Prints a command as it would be typed, then what it prints; one that hangs is given up where timeout(1) is there.
run() {
    printf '$ %s\n' "$*"
    if has timeout; then timeout 20 "$@" 2>/dev/null; else "$@" 2>/dev/null; fi
    printf '\n'
}

show() {
    [ -r "$2" ] || return 0
    printf '$ %s %s\n' "$1" "$2"
    "$1" "$2" 2>/dev/null
    printf '\n'
}

echo '# shimulator collector 1: values of environment, labels, build arguments and credentials were removed on the host'
echo 'collect.sh: values of environment, labels, build arguments and whatever looks like a credential are removed here;' >&2
echo 'collect.sh: names, images, ports, addresses and command lines stay. Look through it before you send it.' >&2

{
    columns=pid,ppid,pgid,sid,tty,nlwp,stat,lstart,comm,args
    if ps -ww -eo "$columns" >/dev/null 2>&1; then
        run ps -ww -eo "$columns"
    elif ps -o pid,ppid,pgid,sid,tty,stat,args >/dev/null 2>&1; then
        run ps -o pid,ppid,pgid,sid,tty,stat,args
    else
        run ps -ef
    fi
    echo '$ grep /proc/PID/status'
    grep -E '^(Name|Pid|PPid|Threads|SigIgn|SigCgt):' /proc/[0-9]*/status 2>/dev/null
    echo
    if has ss; then run ss -ltnup; fi
    show cat /etc/docker/daemon.json
} | clean

if has docker; then
    {
        run docker version
        run docker info
        info='{"ServerVersion":{{json .ServerVersion}},"NCPU":{{json .NCPU}},"Name":{{json .Name}},'
        info=$info'"SystemTime":{{json .SystemTime}},"LiveRestoreEnabled":{{json .LiveRestoreEnabled}},'
        info=$info'"LoggingDriver":{{json .LoggingDriver}},"CgroupDriver":{{json .CgroupDriver}}}'
        run docker info --format "$info" | sed '1s/.*/$ docker info --format json/'
        run docker ps -a --no-trunc
        ids=$(docker ps -aq --no-trunc 2>/dev/null)
        # shellcheck disable=SC2086
        [ -n "$ids" ] && run docker inspect $ids | sed '1s/.*/$ docker inspect/' | without_values
        nets=$(docker network ls -q 2>/dev/null)
        # shellcheck disable=SC2086
        [ -n "$nets" ] && run docker network inspect $nets | sed '1s/.*/$ docker network inspect/' | without_values
    } | clean
fi

if has podman; then
    {
        run podman version
        ids=$(podman ps -aq --no-trunc 2>/dev/null)
        # shellcheck disable=SC2086
        [ -n "$ids" ] && run podman inspect $ids | sed '1s/.*/$ podman inspect/' | without_values
    } | clean
fi

if has crictl; then
    {
        run crictl version
        for id in $(crictl pods -q 2>/dev/null); do run crictl inspectp "$id" | without_values; done
        for id in $(crictl ps -aq 2>/dev/null); do run crictl inspect "$id" | without_values; done
    } | clean
fi

if has systemctl; then
    {
        for unit in docker containerd crio kubelet; do
            systemctl cat "$unit" >/dev/null 2>&1 || continue
            run systemctl cat "$unit"
            keys=Id,MainPID,Restart,RestartUSec,KillMode,TimeoutStopUSec,StartLimitBurst
            run systemctl show -p "$keys" "$unit"
        done
    } | clean
fi
exit 0
