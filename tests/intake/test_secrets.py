"""No credential of an input reaches any output: the scenario, what is printed, a trace, a page, an error."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from sim.cli import main
from sim.intake import scenario_from
from sim.intake.redaction import ELLIPSIS, redacted, redacted_words
from sim.intake.sources import Source
from tests.intake import samples

SECRET = "Xq7" + "hunter2Zz"  # what is planted everywhere, and looked for
S = SECRET
WORDS = (
    f"app --password={S} --port 80",
    f"app --db-password {S}",
    f"app --token '{S}' -v",
    f"app -DdbPassword={S}",
    f"app --requirepass {S}",
    f"app postgres://user:{S}@db:5432/x",
    f"app https://{S}@example.org/",
    f"app amqp://:{S}@mq",
    f"sh -c 'API_KEY={S} exec app'",
    f"docker run -e FOO={S} --env BAR={S} --build-arg baz={S} -l a={S} nginx",
    f"curl -H 'Authorization: Bearer {S}' -u me:{S} http://x",
    f"mysqldump -uroot -p{S} db",
    f"app --api-key={S},x",
    f"app ?token={S}&a=b",
    f'app {{"password": "{S}"}}',
    f"redis-cli -a {S} ping",
    f"app --secret-key-base={S}",
    f"app MY_SETTING={S}",
    f"app --auth-token={S} --accessKey={S} --private-key {S}",
    f"app --config.password:{S}",
)
FORMS = (
    "ghp_" + "a1B2c3D4e5F6g7H8i9J0",
    "glpat-" + "abcdefghij0123456789",
    "xoxb-" + "1234567890-abcdefghij",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "sk_live_" + "abcdefgh12345678",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0.abcdefghijk",
)


@pytest.mark.parametrize("words", WORDS)
def test_a_credential_becomes_an_ellipsis(words):
    """As one text and as the words of a list; the name stays."""
    for said in (redacted(words), " ".join(redacted_words(tuple(words.split(" "))))):
        assert SECRET not in said
        assert ELLIPSIS in said
        assert said.split(" ")[0] == words.split(" ")[0]


@pytest.mark.parametrize("token", FORMS)
def test_issued_keys_are_known_by_their_form(token):
    """Wherever they stand, also without a name."""
    assert token not in redacted(f"app {token} -v")


@pytest.mark.parametrize(
    "words",
    [
        "nginx -g 'daemon off;'",
        "/usr/bin/containerd-shim-runc-v2 -namespace moby -id " + "a1" * 32,
        "docker-proxy -proto tcp -host-ip :: -host-port 80 -container-ip 172.17.0.2 -container-port 80",
        "grafana-server --homepath=/usr/share/grafana cfg:default.log.mode=console",
        "java -jar /data/arthas-demo.jar --server.port=8080",
        "python3 -m http.server 8000 --directory /srv",
        "node_exporter --collector.filesystem.ignored-mount-points=^/(sys|proc)($|/)",
        "dockerd -H unix:///var/run/docker.sock --containerd=/run/containerd/containerd.sock",
        "sh -c trap 'echo bye; exit 0' USR1; while :; do sleep 1; done",
        "bypass --compass=north keyboard --monkey 3",
    ],
)
def test_what_is_no_credential_stays(words):
    """Ordinary command lines are kept to the letter."""
    assert redacted(words) == words


# -- every form of input ----------------------------------------------------------------------------


PROCESS = {"args": ["x", f"--token={S}"], "env": [f"A={S}"]}
OF_CRICTL = {
    "status": {"id": "e" * 64, "metadata": {"name": "web"}, "annotations": {"a": S}},
    "info": {"runtimeSpec": {"process": PROCESS}},
}
OF_PODMAN = {
    "Id": "f" * 64,
    "Name": "p",
    "State": {"Status": "running"},
    "Path": "x",
    "Args": [f"--password={S}"],
    "Config": {"Env": [f"A={S}"]},
}


def planted() -> dict[str, str]:
    """Return outputs of the sample's host with a secret in each place that may hold one."""
    rows = [(*row[:9], f"{row[9]} --password={S}") if row[0] in (620, 740, 800) else row for row in samples.ROWS]
    inspected = samples.inspected()
    for row in inspected:
        row["Config"] |= {
            "Env": [f"POSTGRES_PASSWORD={S}", f"PLAIN={S}"],
            "Labels": {"com.example.token": S, "plain": S},
            "Healthcheck": {"Test": ["CMD-SHELL", f"psql postgres://u:{S}@db"]},
        }
        row["Args"] = [*row["Args"], "--token", S]
        row["State"] |= {"Error": f"cannot start: password={S}"}
        row["HostConfig"] |= {"LogConfig": {"Type": "splunk", "Config": {"splunk-token": S}}}
    info = samples.INFO | {"HttpProxy": f"http://u:{S}@proxy", "Labels": [f"key={S}"]}
    daemon = samples.DAEMON | {
        "log-opts": {"splunk-token": S}, "http-proxy": f"http://u:{S}@p", "labels": [f"a={S}"],
        "registry-mirrors": [f"https://u:{S}@mirror"], "default-address-pools": [{"base": f"password={S}"}],
    }  # fmt: skip
    listed = {"ID": samples.WEB, "Names": "web", "Image": "web:1", "Command": f'"app --password={S}"',
              "Labels": f"a={S},token={S}", "State": "running", "Status": "Up 3 minutes"}  # fmt: skip
    return {
        "ps-axjf.txt": samples.axjf(rows),
        "ps-ef.txt": samples.ef(rows),
        "ps-aux.txt": samples.auxf(rows),
        "ps-eo.txt": samples.eo(rows),
        "inspect.json": json.dumps(inspected),
        "inspect-cut.json": json.dumps(inspected)[:-40],
        "info.json": json.dumps(info),
        "info.txt": f"Server:\n Server Version: 26.1.5\n HTTP Proxy: http://u:{S}@p\n Labels:\n  token={S}\n",
        "daemon.json": json.dumps(daemon),
        "docker-ps.txt": samples.DOCKER_PS.replace("postgres -D /data", f"pg --password={S[:6]}"),
        "docker-ps.jsonl": json.dumps(listed),
        "unit.txt": f"# /lib/systemd/system/docker.service\n[Service]\nEnvironment=TOKEN={S}\nRestart=always\n"
        f"ExecStart=/usr/bin/dockerd --password={S}\nExecReload=/bin/x --token={S}\n",
        "show.txt": f"Id=docker.service\nEnvironment=TOKEN={S}\nExecStart={{ argv[]=/x --token={S} }}\nRestart=no\n",
        "crictl.json": json.dumps(OF_CRICTL),
        "podman.json": json.dumps([OF_PODMAN]),
        "compose.yml": f"services:\n  web:\n    image: nginx\n    environment: {{PASSWORD: {S}, PLAIN: {S}}}\n"
        f"    labels: [a={S}]\n    build: {{context: ., args: {{A: {S}}}}}\n"
        f"    command: [x, --password, {S}, --token={S}]\n"
        f"    healthcheck: {{test: 'curl -u a:{S} http://x'}}\n",
        "other.json": json.dumps({"password": S, "x": [S]}),
        "prose.txt": f"The password is {S}.\n",
        "broken.json": '[{"password": "' + S,
    }


@pytest.mark.parametrize("name", [*planted(), "all of them"])
def test_no_form_lets_a_secret_through(name, tmp_path, monkeypatch, capsys):
    """The text, what is printed, and the message of an input of which nothing is known."""
    monkeypatch.chdir(tmp_path)
    outputs = planted()
    for file in outputs if name == "all of them" else [name]:
        (tmp_path / file).write_text(outputs[file])
    names = list(outputs) if name == "all of them" else [name]
    main(["init", "out.yaml", *names])
    printed = capsys.readouterr()
    texts = [printed.out, printed.err] + [file.read_text() for file in tmp_path.glob("out.yaml")]
    assert not [text for text in texts if SECRET in text or SECRET[:6] in text]


def test_a_run_and_its_page_hold_no_secret(tmp_path, monkeypatch, capsys):
    """Trace, result, tables and the report of a host whose every output has one."""
    monkeypatch.chdir(tmp_path)
    with tarfile.open("in.tar.gz", "w:gz") as archive:
        for name, text in planted().items():
            Path(name).write_text(text)
            archive.add(name)
            Path(name).unlink()
    assert main(["init", "out.yaml", "in.tar.gz"]) == 0
    Path("in.tar.gz").unlink()
    assert main(["run", "out.yaml"]) == 0
    assert main(["report", "out.yaml", "-o", "page.html"]) == 0
    assert main(["show", "out.yaml", "--as", "ps-axjf", "--at", "0s"]) == 0
    printed = capsys.readouterr()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 4
    assert [str(file) for file in files if SECRET.encode() in file.read_bytes()] == []
    assert SECRET not in printed.out + printed.err


@pytest.mark.parametrize("command", ["run", "validate", "show", "whatif"])
def test_a_foreign_file_with_a_secret_is_not_quoted(command, tmp_path, monkeypatch, capsys):
    """Whatever command is given the file of a host's tool, its message has no word of it."""
    monkeypatch.chdir(tmp_path)
    for name, text in planted().items():
        (tmp_path / name).write_text(text)
        if name in ("other.json", "prose.txt", "broken.json"):
            continue  # of no tool: a wrong scenario, which is quoted
        main([command, name])
        printed = capsys.readouterr()
        assert SECRET not in printed.out + printed.err, name


def test_values_are_kept_when_somebody_says_so():
    """--keep-values leaves command lines as they are; environment and labels are not read at all."""
    text, _ = scenario_from(texts=[Source("ps.txt", planted()["ps-axjf.txt"])], keep_values=True)
    assert SECRET in text
