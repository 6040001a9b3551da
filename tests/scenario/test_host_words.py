"""The words under `host:` of a step, and how strangers are named: what each is read as, and how errors help."""

import pytest

from sim.designs import DESIGNS
from sim.engine.setup import FillDisk, LosePower, OutOfMemory, Slow, Systemctl, TakePid, TakePort, Target
from sim.errors import InputError
from sim.latency import PROFILES
from sim.scenario import load
from sim.scenario.known import slowed


def command(step):
    (_, (found,)) = ((), load("f", text=f"services: {{web: {{}}}}\nsteps:\n  - {step}\n").setup.terminals[0])
    return found.command


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("take_port: 80", TakePort("tcp:0.0.0.0:80")),
        ("take_port: 127.0.0.1:80", TakePort("tcp:127.0.0.1:80")),
        ("take_port: 53/udp", TakePort("udp:0.0.0.0:53")),
        ("take_pid: payload/web", TakePid(Target("payload", "web"))),
        ("take_pid: containerd", TakePid(Target("containerd"))),
        ("take_pid: 4242", TakePid(number=4242)),
        ("fill_disk: true", FillDisk()),
        ("fill_disk: false", FillDisk(full=False)),
        ("slow: {runc create: 5}", Slow("runc create", 500)),
        ("slow: {containerd: 1.5}", Slow("containerd", 150)),
    ],
)
def test_host_words(words, expected):
    """Ports are written as Compose writes those of the host, processes as targets."""
    assert command(f"host: {{{words}}}") == expected


@pytest.mark.parametrize(
    ("step", "what", "hint"),
    [
        ("host: {take_port: http}", "'http' is not a port of the host.", "Write it like 80, 127.0.0.1:80 or 53/udp."),
        ("host: {take_port: 70000}", "is not a port of the host.", "Write it like"),
        ("host: {take_pid: shim/web}", "no file has its number", "Write dockerd, containerd, payload/NAME"),
        ("host: {take_prot: 80}", "unknown key.", "Did you mean take_port?"),
        ("host: {take_port: 80, take_pid: 9}", "take_port, take_pid are 2 things.", "Give each a step of its own."),
        ("host: {slow: {runc craete: 5}}", "'runc craete' is not a program with a verb.", "Did you mean create?"),
        ("host: {slow: {shim create: 5}}", "is not a program with a verb.", "Valid: runc create, runc start"),
        ("host: {slow: {web: 5}}", "'web' is not a program whose times are known.", "Valid: dockerd, containerd"),
        ("host: {slow: {runc: fast}}", "'fast' is not how many times longer.", "Write 5, 1.5, or 1 for as before."),
        ("host: {slow: {runc: 0}}", "is not how many times longer.", ""),
        ("host: {slow: runc}", "'runc' does not say what is slow.", "Write slow: {runc create: 5}."),
        ("reboot: false", "reboot: false does nothing.", "Write reboot: true."),
        ("power_loss: soon", "'soon' is neither true nor a duration.", "5m for a power that is back after 5 minutes"),
        ("oom: web", "web has no mem_limit to reach.", "Give it one, or write oom: host."),
        ("oom: wbe", "there is no container 'wbe'.", "Did you mean web?"),
        ("kill: stranger/thief", "no step called 'thief' makes a stranger.", "host: {take_port: 80} in a step makes"),
    ],
)
def test_wrong_host_words_are_refused(step, what, hint):
    """Each error says what is wrong and what to write."""
    with pytest.raises(InputError) as caught:
        command(step)
    assert what in str(caught.value)
    assert hint in str(caught.value)


def test_a_stranger_is_named_by_its_step():
    """`stranger/STEP` names the process that a step made, `stranger` every one; a misspelt step is corrected."""
    text = "steps:\n  - {id: thief, host: {take_port: 80}}\n  - {kill: stranger/%s}\n"
    found = load("f", text=text % "thief").setup.terminals[1][0].command
    assert found.target == Target("stranger", "thief")
    with pytest.raises(InputError, match="Did you mean thief"):
        load("f", text=text % "theif")


def test_memory_is_read_as_docker_reads_it():
    """mem_limit and x-payload's memory: each letter is 1024; `oom: host` is the machine."""
    text = "services: {web: {mem_limit: 1.5g, x-payload: {memory: 300MB}}}\nsteps: [{oom: web}, {oom: host}]\n"
    setup = load("f", text=text).setup
    assert (setup.services[0].memory, setup.services[0].payload.memory) == (1536 * 1024**2, 300 * 1024**2)
    assert [steps[0].command for steps in setup.terminals] == [OutOfMemory("web"), OutOfMemory()]
    with pytest.raises(InputError, match="'much' is not an amount of memory"):
        load("f", text="services: {web: {mem_limit: much}}")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("reboot: true", Systemctl("reboot", "")),
        ("systemctl: reboot", Systemctl("reboot", "")),
        ("power_loss: true", LosePower()),
        ("power_loss: 5m", LosePower(300_000_000)),
    ],
)
def test_the_host_goes_down(step, expected):
    """A reboot is systemctl's; the power is away for as long as the step says."""
    assert command(step) == expected


def test_what_can_be_slow_is_what_takes_time():
    """Each program that can be made slow has durations in a profile, each verb a procedure; a step is told in words."""
    assert {key.partition("/")[0] for profile in PROFILES.values() for key in profile} >= set(slowed())
    assert {f"runc.{verb}" for verb in slowed()["runc"]} <= set(DESIGNS["docker-1.13"].procedures)
    setup = load("f", text="steps: [{host: {slow: {runc create: 5}}}, {host: {fill_disk: true}}]\n").setup
    assert [steps[0].text for steps in setup.terminals] == ["host slow runc create 5", "host fill_disk true"]
