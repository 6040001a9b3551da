"""The flags of dockerd's command line, as the keys of daemon.json that they stand for.

A flag that may be given several times is a list there, whose key is in the plural. Words that are no flag (variables of
the unit such as $OPTIONS among them) say nothing. Source: moby v1.13.1 daemon/config.go 168-196, config_unix.go 70-91,
cmd/dockerd/docker.go; v26.1.5 cmd/dockerd/config.go 19-80, config_unix.go 25-60, options.go 107-122.
"""

from __future__ import annotations

from collections.abc import Sequence

SHORT = {"H": "host", "D": "debug", "l": "log-level", "s": "storage-driver", "G": "group", "b": "bridge", "g": "graph",
         "p": "pidfile", "r": "restart"}  # fmt: skip
SWITCHES = frozenset(
    """allow-direct-routing api-enable-cors cri-containerd debug disable-legacy-registry experimental icc init
    ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 live-restore no-new-privileges raw-logs restart
    rootless selinux-enabled signature-verification tls tlsverify userland-proxy validate""".split()
)
LISTS = {  # flag -> the key that lists its values
    "add-registry": "add-registry",
    "add-runtime": "runtimes",
    "allow-nondistributable-artifacts": "allow-nondistributable-artifacts",
    "authorization-plugin": "authorization-plugins",
    "block-registry": "block-registry",
    "cdi-spec-dir": "cdi-spec-dirs",
    "cluster-store-opt": "cluster-store-opts",
    "default-address-pool": "default-address-pools",
    "default-network-opt": "default-network-opts",
    "default-ulimit": "default-ulimits",
    "dns": "dns",
    "dns-opt": "dns-opts",
    "dns-search": "dns-search",
    "exec-opt": "exec-opts",
    "host": "hosts",
    "insecure-registry": "insecure-registries",
    "label": "labels",
    "log-opt": "log-opts",
    "node-generic-resource": "node-generic-resources",
    "registry-mirror": "registry-mirrors",
    "storage-opt": "storage-opts",
}
NO_KEYS = frozenset(("api-enable-cors", "config-file", "cri-containerd", "restart", "rootless", "validate"))


def flags(words: Sequence[str]) -> dict[str, object]:
    """Return what a command line of dockerd says, by key of daemon.json; the first word is the program.

    >>> flags(["/usr/bin/dockerd", "-H", "fd://", "--live-restore", "--bip=10.0.0.1/24", "--icc=false", "$OPTIONS"])
    {'hosts': ['fd://'], 'live-restore': True, 'bip': '10.0.0.1/24', 'icc': False}
    """
    found: dict[str, object] = {}
    rest = list(words[1:])
    while rest:
        flag, value = _cut(rest.pop(0))
        if not flag:
            continue
        if flag in SWITCHES:
            said: object = value != "false"
        elif value is None and not rest:
            continue
        else:
            said = rest.pop(0) if value is None else value
        if flag in LISTS:
            before = found.get(LISTS[flag], [])
            found[LISTS[flag]] = [*(before if isinstance(before, list) else []), _entry(flag, str(said))]
        elif flag not in NO_KEYS:
            found[flag] = int(said) if isinstance(said, str) and said.isdecimal() else said
    return found


def _cut(word: str) -> tuple[str, str | None]:
    """Return the long name of a flag and the value that is attached to it; "" for a word that is no flag."""
    if word.startswith("--"):
        flag, sign, value = word[2:].partition("=")
        return flag, value if sign else None
    if word.startswith("-") and word[1:2] in SHORT:
        return SHORT[word[1]], word[2:].removeprefix("=") or None
    return "", None


def _entry(flag: str, value: str) -> object:
    """Return one value of a list: `base=10.0.0.0/8,size=24` is a mapping in daemon.json.

    >>> _entry("default-address-pool", "base=10.0.0.0/8,size=24")
    {'base': '10.0.0.0/8', 'size': 24}
    """
    if flag != "default-address-pool":
        return value
    pairs = (part.partition("=") for part in value.split(","))
    return {name: int(text) if text.isdecimal() else text for name, _, text in pairs}
