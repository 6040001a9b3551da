"""The words of `docker`, read as it reads them.

Models: the verbs of MODELLED. Flags that change no process are taken and left; flags and verbs with an effect that is
not modelled are refused by name. Leaves out: shells (no pipes, no substitution), contexts and remote engines. Source:
docker COMMAND --help of 1.13.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from sim.engine.setup import FOR_EVER, Command, Docker
from sim.scenario import fields
from sim.scenario.instants import Names
from sim.scenario.known import not_modelled
from sim.scenario.words import Refusal, did_you_mean, listed, shown

MODELLED = tuple(
    """run create start stop kill restart rm exec top pause unpause rename update wait ps inspect info version logs
    events attach""".split()
)
OTHER_VERBS = tuple(
    """build commit cp diff export history images import load login logout
    network port pull push rmi save search service stack stats swarm system tag
    volume plugin secret node image container checkpoint deploy""".split()
)

RUN_WITHOUT_EFFECT = tuple(
    """-e --env --env-file -w --workdir -u --user -h --hostname --dns --add-host --expose --cap-add
    --cap-drop --security-opt --log-opt --mount --tmpfs --ulimit --device --cpus -c --cpu-shares
    --shm-size --volumes-from --sysctl""".split()
)
HEALTH_FLAGS = ("cmd", "interval", "timeout", "retries", "start_period", "start_interval")
# flag -> (what it sets, whether a value follows); "" sets nothing
RUN_FLAGS: dict[str, tuple[str, bool]] = {
    "-d": ("detach", False),
    "--detach": ("detach", False),
    "--name": ("name", True),
    "-p": ("ports", True),
    "--publish": ("ports", True),
    "--restart": ("restart", True),
    "--stop-timeout": ("timeout", True),
    "--stop-signal": ("stop_signal", True),
    "--network": ("network", True),
    "--net": ("network", True),
    "--entrypoint": ("entrypoint", True),
    "-v": ("volumes", True),
    "--volume": ("volumes", True),
    "-l": ("labels", True),
    "--label": ("labels", True),
    **{f"--health-{key.replace('_', '-')}": (f"health_{key}", True) for key in HEALTH_FLAGS},
    "--no-healthcheck": ("no_healthcheck", False),
    "--rm": ("rm", False),
    "-t": ("tty", False),
    "--tty": ("tty", False),
    "-m": ("mem_limit", True),
    "--memory": ("mem_limit", True),
    "--oom-score-adj": ("oom_score_adj", True),
    "--pid": ("pid", True),
    "--ip": ("ip", True),
    "--link": ("links", True),
    **dict.fromkeys(("--ip6", "--network-alias", "--net-alias"), ("", True)),
    "--log-driver": ("log_driver", True),
    "--init": ("init", False),
    **dict.fromkeys(RUN_WITHOUT_EFFECT, ("", True)),
    **dict.fromkeys(("--privileged", "--read-only", "-i", "--interactive"), ("", False)),
}
WHOLE = re.compile(r"-?[0-9]{1,6}\Z", re.ASCII)
RUN_LATER = tuple(
    """--memory-swap
    --cidfile -P --publish-all -a --attach --sig-proxy --ipc
    --oom-kill-disable --pids-limit --runtime --uts --userns --cgroup-parent --detach-keys
    --isolation""".split()
)
FLAGS: dict[str, dict[str, tuple[str, bool]]] = {
    "run": RUN_FLAGS,
    "create": {flag: what for flag, what in RUN_FLAGS.items() if what[0] != "detach"},
    "start": {
        **dict.fromkeys(("-a", "--attach"), ("attach", False)),
        **dict.fromkeys(("-i", "--interactive"), ("", False)),
    },
    "stop": {"-t": ("timeout", True), "--time": ("timeout", True)},
    "restart": {"-t": ("timeout", True), "--time": ("timeout", True)},
    "kill": {"-s": ("signal", True), "--signal": ("signal", True)},
    "pause": {},
    "unpause": {},
    "rm": {"-f": ("force", False), "--force": ("force", False), "-v": ("", False), "--volumes": ("", False)},
    "exec": {
        **dict.fromkeys(("-d", "--detach"), ("detach", False)),
        **dict.fromkeys(("-i", "--interactive", "-t", "--tty", "--privileged"), ("", False)),
        **dict.fromkeys(("-u", "--user", "-e", "--env", "--detach-keys"), ("", True)),
    },
    "top": {},
    "rename": {},
    "update": {"--restart": ("restart", True)},
    "wait": {},
    "ps": {
        **dict.fromkeys(("-a", "--all", "-q", "--quiet", "--no-trunc", "-l", "--latest", "-s", "--size"), ("", False)),
        **dict.fromkeys(("-f", "--filter", "--format", "-n", "--last"), ("", True)),
    },
    "inspect": {"-f": ("", True), "--format": ("", True), "-s": ("", False), "--size": ("", False)},
    "info": {"-f": ("", True), "--format": ("", True)},
    "version": {"-f": ("", True), "--format": ("", True)},
    "logs": {
        **dict.fromkeys(("-f", "--follow"), ("follow", False)),
        **dict.fromkeys(("-t", "--timestamps", "--details"), ("", False)),
        **dict.fromkeys(("--tail", "--since"), ("", True)),
    },
    "events": {"-f": ("", True), "--filter": ("", True), "--format": ("", True)},
    "attach": {"--no-stdin": ("", False), "--sig-proxy": ("", False)},
}
ALONE = ("ps", "info", "version", "events")  # verbs that name no container
BEFORE_WORDS = ("run", "create", "exec", "top")  # the first word that is no flag ends the flags
FLAGS_LATER: dict[str, tuple[str, ...]] = {
    "run": RUN_LATER,
    "create": RUN_LATER,
    "start": ("--checkpoint", "--detach-keys"),
    "update": tuple(
        """-m --memory --memory-reservation --memory-swap --kernel-memory --blkio-weight --cpu-shares -c --cpu-period
        --cpu-quota --cpuset-cpus --cpuset-mems""".split()
    ),
    "events": ("--since", "--until"),
    "attach": ("--detach-keys",),
    "rm": ("-l", "--link"),
}


@dataclass
class Parsed:
    """Flags and words of one command line."""

    given: dict[str, list[str]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    def last(self, name: str) -> str | None:
        """Return the last value given for *name*."""
        values = self.given.get(name)
        return values[-1] if values else None


def split(text: object, program: str) -> list[str]:
    """Return a command line as words, without the program's own name. Raises Refusal."""
    if not isinstance(text, str) or not text.strip():
        raise Refusal(f"{shown(text)} is not a command line.", f"Write what follows {program}.")
    words = list(fields.words(text))
    return words[1:] if words and words[0] == program else words


def parse_flags(
    program: str, words: list[str], flags: dict[str, tuple[str, bool]], later: tuple[str, ...], stop: bool
) -> Parsed:
    """Return the flags of *words*; with *stop* the first word that is no flag ends them. Raises Refusal."""
    parsed, queue = Parsed(), list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            parsed.rest += queue
            break
        if not word.startswith("-") or word == "-":
            parsed.rest.append(word)
            if stop:
                parsed.rest += queue
                break
            continue
        flag, value, tail = cut_flag(word, flags)
        what = look_up(program, flag, flags, later)
        if what[1]:
            if value is None and not queue:
                raise Refusal(f"{program}: {flag} needs a value.")
            parsed.given.setdefault(what[0], []).append(queue.pop(0) if value is None else value)
        elif value in (None, "true"):
            parsed.given.setdefault(what[0], []).append("true")
        elif value != "false":
            raise Refusal(f"{program}: {flag} takes no value.")
        if tail:
            queue.insert(0, "-" + tail)
    return parsed


def cut_flag(word: str, flags: dict[str, tuple[str, bool]]) -> tuple[str, str | None, str]:
    """Return flag, its attached value, and further short flags of `-dp8080:80`, `--time=5`."""
    if word.startswith("--"):
        flag, sign, value = word.partition("=")
        return flag, value if sign else None, ""
    flag, rest = word[:2], word[2:]
    if flags.get(flag, ("", True))[1]:
        return flag, rest.removeprefix("=") if rest else None, ""
    return flag, None, rest


def look_up(program: str, flag: str, flags: dict[str, tuple[str, bool]], later: tuple[str, ...]) -> tuple[str, bool]:
    """Return what *flag* sets. Raises Refusal."""
    if flag in flags:
        return flags[flag]
    if flag in later:
        raise Refusal(f"{program}: {not_modelled(flag, '')}", f"Modelled: {listed(modelled(flags)) or 'no flags'}.")
    hint = did_you_mean(flag, (*flags, *later))
    raise Refusal(
        f"{program}: unknown flag {shown(flag)}.", hint or f"Modelled: {listed(modelled(flags)) or 'no flags'}."
    )


def modelled(flags: dict[str, tuple[str, bool]]) -> list[str]:
    """Return the flags that set something."""
    return [flag for flag, (what, _) in flags.items() if what]


# -- docker ----------------------------------------------------------------------------------------


@dataclass
class NewService:
    """A container that `docker run` or `docker create` describes, in Compose's keys."""

    name: str
    service: dict[str, object]
    named: bool
    detached: bool


def parse_docker(text: object, names: Names) -> list[Command]:
    """Return the commands of one `docker` line, one for each container. Raises Refusal."""
    verb, parsed = docker_words(text)
    if verb in ("run", "create"):
        new = new_service(verb, parsed)
        return [Docker(verb, names.container(new.name), attach=not new.detached)]
    if verb in ALONE:
        if parsed.rest:
            raise Refusal(f"docker {verb} takes no container.")
        return [Docker(verb, "")]
    if not parsed.rest:
        raise Refusal(f"docker {verb} needs a container.")
    if verb == "rename":
        return [rename(parsed, names)]
    if verb in ("exec", "top"):
        name, *words = parsed.rest
        if verb == "exec" and not words:
            raise Refusal("docker exec needs a command.", f"Write docker: exec {name} CMD.")
        return [Docker(verb, names.container(name), words=tuple(words), detach="detach" in parsed.given)]
    signal = parsed.last("signal")
    more = update_words(parsed) if verb == "update" else ("follow",) if "follow" in parsed.given else ()
    return [
        Docker(
            verb,
            names.container(name),
            fields.signal(signal) if signal else None,
            seconds(parsed),
            "force" in parsed.given,
            more,
            attach=verb == "attach" or "attach" in parsed.given,
            called=names.called(name),
        )
        for name in parsed.rest
    ]


def rename(parsed: Parsed, names: Names) -> Docker:
    """Return the command that gives a container another name. Raises Refusal."""
    if len(parsed.rest) != 2:
        raise Refusal("docker rename takes a container and its new name.")
    old, new = parsed.rest
    if not fields.NAME.match(new):
        raise Refusal(f"{shown(new)} is not a container's name.")
    return Docker("rename", names.container(old), words=(new,), called=names.called(old))


def update_words(parsed: Parsed) -> tuple[str, ...]:
    """Return the policy of docker update --restart and its maximum. Raises Refusal."""
    text = parsed.last("restart")
    if text is None:
        raise Refusal("docker update without --restart is not modelled yet.", "Modelled: --restart.")
    policy = fields.policy(text)
    return policy.name, str(policy.max)


def docker_words(text: object) -> tuple[str, Parsed]:
    """Return verb and flags of a `docker` line. Raises Refusal."""
    words = split(text, "docker")
    if words[:1] == ["container"] and len(words) > 1:
        words = words[1:]
    verb = words[0] if words else ""
    if verb.startswith("-"):
        raise Refusal(f"docker: {not_modelled(verb, '')}", f"Begin with a verb: {listed(MODELLED)}.")
    if verb in OTHER_VERBS:
        raise Refusal(f"docker {not_modelled(verb, '')}", f"Modelled: {listed(MODELLED)}.")
    if verb not in MODELLED:
        hint = did_you_mean(verb, (*MODELLED, *OTHER_VERBS))
        raise Refusal(f"docker {shown(verb)} is not a command; modelled: {listed(MODELLED)}.", hint)
    stop = verb in BEFORE_WORDS
    return verb, parse_flags(f"docker {verb}", words[1:], FLAGS[verb], FLAGS_LATER.get(verb, ()), stop)


def seconds(parsed: Parsed) -> int | None:
    """Return the value of -t in µs; below 0 there is no limit. Raises Refusal."""
    text = parsed.last("timeout")
    if text is None:
        return None
    if not WHOLE.match(text):
        raise Refusal(f"{shown(text)} is not a number of seconds.")
    return int(text) * 1_000_000 if int(text) >= 0 else FOR_EVER


def new_service(verb: str, parsed: Parsed) -> NewService:
    """Return what `docker run` or `create` describes. Raises Refusal."""
    if not parsed.rest:
        raise Refusal(f"docker {verb} needs an image.")
    image, command = parsed.rest[0], parsed.rest[1:]
    service: dict[str, object] = {"image": image}
    if command:
        service["command"] = command
    if "rm" in parsed.given and (parsed.last("restart") or "no") != "no":
        raise Refusal(f"docker {verb}: conflicting options: --restart and --rm.")
    for name in ("tty", "rm"):
        if name in parsed.given:
            service["x-rm" if name == "rm" else name] = True
    for name in ("restart", "stop_signal", "entrypoint", "mem_limit", "pid", "log_driver"):
        if parsed.last(name) is not None:
            service[name] = parsed.last(name)
    adj = parsed.last("oom_score_adj")
    if adj is not None:
        service["oom_score_adj"] = int(adj) if WHOLE.match(adj) else adj
    if "entrypoint" in service:
        service["entrypoint"] = [service["entrypoint"]]
    for name in ("ports", "labels", "volumes", "links"):
        if name in parsed.given:
            service[name] = parsed.given[name]
    timeout = seconds(parsed)
    if timeout is not None:
        service["stop_grace_period"] = -1 if timeout == FOR_EVER else f"{timeout // 1_000_000}s"
    if "init" in parsed.given:
        service["init"] = True
    check = health_of(parsed)
    if check:
        service["healthcheck"] = check
    service |= network_of(parsed)
    base = image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    detached = verb == "create" or "detach" in parsed.given
    return NewService(parsed.last("name") or f"{base}_1", service, parsed.last("name") is not None, detached)


def network_of(parsed: Parsed) -> dict[str, object]:
    """Return which networks the flags name: a mode, or networks, whose first one has the address of --ip."""
    names = [_network_name(word) for word in parsed.given.get("network", ())]
    if len(names) == 1 and (names[0] in ("host", "none", "default") or ":" in names[0]):
        return {"network_mode": names[0]}
    ip = parsed.last("ip")
    if ip is None:
        return {"networks": names} if names else {}
    return {"networks": {name: {"ipv4_address": ip} if not place else None for place, name in enumerate(names)}}


def _network_name(word: str) -> str:
    """Return the network in `front` or `name=front,alias=web`."""
    pairs = dict(part.partition("=")[::2] for part in word.split(","))
    return pairs.get("name", word)


def health_of(parsed: Parsed) -> dict[str, object]:
    """Return the health check that the flags describe. Raises Refusal."""
    if "no_healthcheck" in parsed.given:
        return {"disable": True}
    keys = {"test": "health_cmd", **{key: f"health_{key}" for key in HEALTH_FLAGS[1:]}}
    check: dict[str, object] = {key: parsed.last(name) for key, name in keys.items() if parsed.last(name) is not None}
    retries = check.get("retries")
    if isinstance(retries, str):
        if not (retries.isascii() and retries.isdigit() and len(retries) < 7):
            raise Refusal(f"{shown(retries)} is not a number of tries.")
        check["retries"] = int(retries)
    return check


def quoted(words: list[str]) -> str:
    """Return *words* as one command line."""
    return shlex.join(words)
