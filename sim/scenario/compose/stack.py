"""Compose files as one: several files, what they include and extend, profiles, and variables.

Models: files of v2, v3 and unversioned ones, v1 files (services at the top), the normal form of `docker compose
config`; `-f` several times, `include`, `extends` in the same and in another file, `profiles`, env files and the `.env`
beside the first file, `name`, COMPOSE_PROFILES and COMPOSE_PROJECT_NAME of an env file. A file that is included or
extended and is not there is noted, since a pasted file comes without it. Leaves out the environment of the caller,
remote includes. Source: Compose specification; compose-go 2 loader/loader.go, loader/extends.go, loader/include.go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as File

from sim.scenario.compose.layering import TAGS, laid_over, settled
from sim.scenario.compose.left import YES, Left
from sim.scenario.compose.variables import Variables, read_env
from sim.scenario.text import Mark, Node, Problems, read
from sim.scenario.words import listed, shown

MAX_FILES = 1000  # that one stack is read from
REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com/|oci:")
SECRET = re.compile(  # of a name of a variable
    r"passw|passphrase|secret|token|credential|(?<![a-z])(?:pass|pwd|key|salt|dsn)(?![a-z])", re.IGNORECASE
)
NAMED = 12  # so many variables without a value are named
IF_FOLLOWED = "only if something that is followed hangs on it"
WITHOUT_VALUE = (
    (False, "no env file gives it a value, so it is empty", IF_FOLLOWED),
    (True, "Compose refuses the file without it; here it is empty", f"{IF_FOLLOWED}: give it with --env-file"),
)
JOINED = ("services", "networks", "volumes", "configs", "secrets", "models")  # of an included file


@dataclass(frozen=True)
class Asked:
    """What a stack is read from: files in the order of `-f`, env files, profiles, the project's name.

    *texts* has the text of files that do not stand on disk, by name, *places* where a file is named. Without
    *keep_values* a variable whose name says that it is a credential stands for an ellipsis.
    """

    files: tuple[str, ...]
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    project: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    keep_values: bool = False
    places: Mapping[str, Mark] = field(default_factory=dict)

    def place(self, file: str) -> Mark:
        """Return where *file* is named: in a scenario, or on the command line."""
        return self.places.get(file, Mark(file, 0, 0))


@dataclass(frozen=True)
class Stack:
    """A stack as one tree with the places of all values, its project, and what was left out of it."""

    root: Node
    project: str
    version_1: bool
    left: tuple[Left, ...]
    incomplete: frozenset[Mark]  # places whose text lacks the value of a variable


def read_stack(asked: Asked, problems: Problems) -> Stack | None:
    """Return the stack; None if nothing of it can be read. What is wrong goes to *problems*."""
    reader = Reader(asked, problems)
    variables = Variables(reader.hidden(reader.values()), problems)
    root: Node | None = None
    version_1 = False
    for file in asked.files:
        found = reader.whole(file, asked.place(file), variables)
        if found is None:
            continue
        version_1 = version_1 or reader.version_1
        root = found if root is None else laid_over(root, found, problems)
    if root is None:
        return None
    root = settled(root)
    project = project_of(asked, variables.values, root)
    root = reader.with_profiles(root, variables.values)
    reader.left += unset(variables)
    return Stack(root, project, version_1, tuple(reader.left), frozenset(variables.incomplete))


def unset(variables: Variables) -> list[Left]:
    """Return the variables without a value: those that Compose insists on, and the others."""
    found = []
    for required, why, changes in WITHOUT_VALUE:
        names = [name for name in variables.unset if (name in variables.required) == required]
        if names:
            dollars = [f"${{{name}}}" for name in names[:NAMED]]
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            found.append(Left(variables.unset[names[0]], "", listed(dollars) + more, why, changes))
    return found


def project_of(asked: Asked, values: Mapping[str, str], root: Node) -> str:
    """Return the project's name: asked for, of an env file, of the file, else of its folder.

    Source: compose-go 2 cli/options.go (GetWorkingDir, NormalizeProjectName).
    """
    named = root.child("name")
    said = asked.project or values.get("COMPOSE_PROJECT_NAME") or (str(named.value) if named and named.value else "")
    folder = os.path.basename(os.path.dirname(os.path.abspath(asked.files[0])))
    return re.sub(r"[^a-z0-9_-]", "", (said or folder).lower()).lstrip("_-") or "default"


@dataclass
class Reader:
    """Reads the files of one stack."""

    asked: Asked
    problems: Problems
    left: list[Left] = field(default_factory=list)
    version_1: bool = False
    count: int = 0

    def values(self) -> dict[str, str]:
        """Return the variables of the env files that were asked for, else of the `.env` beside the first file."""
        found: dict[str, str] = {}
        for file in self.asked.env_files:
            text = self.text(file, self.asked.place(file))
            found |= {} if text is None else read_env(text, file, self.problems, found)
        return found if self.asked.env_files else self.beside(self.asked.files[0])

    def hidden(self, values: dict[str, str]) -> dict[str, str]:
        """Return *values* without those that are credentials by their name."""
        if self.asked.keep_values:
            return values
        return {name: "…" if value and SECRET.search(name) else value for name, value in values.items()}

    def beside(self, file: str) -> dict[str, str]:
        """Return the variables of the `.env` beside *file*; without one there are none."""
        env = os.path.join(os.path.dirname(file), ".env")
        if file in self.asked.texts or not os.path.isfile(env):
            return {}
        text = self.text(env, Mark(env, 0, 0))
        return {} if text is None else read_env(text, env, self.problems)

    def text(self, file: str, mark: Mark) -> str | None:
        """Return the text of *file*, which is named at *mark*; None after noting why it cannot be read."""
        if file in self.asked.texts:
            return self.asked.texts[file]
        try:
            return File(file).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError, ValueError) as error:
            why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "not text in UTF-8"
            hint = "Files are looked for beside the one that names them." if mark.line else ""
            self.problems.add(mark, f"{file}: {why}." if mark.line else f"{why}.", hint)
            return None

    def whole(self, file: str, mark: Mark, variables: Variables, chain: tuple[str, ...] = ()) -> Node | None:
        """Return what *file* says together with what it includes and extends."""
        root = self.alone(file, mark, variables)
        if root is None:
            return None
        services = root.child("services")
        if services is not None and isinstance(services.value, dict):
            extended = {name: self.extended(name, services, file, variables, ()) for name in services.value}
            kept = {name: it for name, it in extended.items() if it is not None}
            root = replace(root, value={**mapping(root), "services": replace(services, value=kept)})
        include = root.child("include")
        if include is None:
            return root
        root = replace(root, value={key: it for key, it in mapping(root).items() if key != "include"})
        for part in self.included(include, file, variables, (*chain, file)):
            root = laid_over(only(part, JOINED), root, self.problems)
        return root

    def alone(self, file: str, mark: Mark, variables: Variables) -> Node | None:
        """Return what *file* says with its variables replaced, documents of one file laid over one another."""
        self.count += 1
        if self.count > MAX_FILES:
            self.problems.add(
                mark, f"a stack of more than {MAX_FILES} files.", "Merge them with docker compose config."
            )
            return None
        text = self.text(file, mark)
        if text is None:
            return None
        found: Node | None = None
        for document in read(text, file, self.problems, TAGS):
            if not isinstance(document.value, dict):
                self.problems.add(document.mark, "is not a Compose file.", "It begins with services: or name:.")
                return None
            document = variables.node(document)
            if is_version_1(mapping(document)):
                self.version_1 = True
                document = replace(document, value={"services": document})
            found = document if found is None else laid_over(found, document, self.problems)
        return found

    # -- include -----------------------------------------------------------------------------------------------------

    def included(self, include: Node, file: str, variables: Variables, chain: tuple[str, ...]) -> list[Node]:
        """Return what the files say that are included; several paths of one entry are laid over one another."""
        if not isinstance(include.value, list):
            self.problems.add(include.mark, "include: is not a list.", "Write include: [other.yaml].")
            return []
        found = []
        for entry in include.value:
            below = entry.child("path") if isinstance(entry.value, dict) else entry
            paths = below.value if below and isinstance(below.value, list) else [below] if below else []
            part: Node | None = None
            for path in paths:
                other = self.include_one(path, entry, file, variables, chain)
                if other is not None:
                    part = other if part is None else laid_over(part, other, self.problems)
            found += [] if part is None else [part]
        return found

    def include_one(
        self, path: Node, entry: Node, file: str, variables: Variables, chain: tuple[str, ...]
    ) -> Node | None:
        """Return what one included file says; None after noting why not."""
        if not isinstance(path.value, str) or not path.value:
            self.problems.add(path.mark, "include: takes names of files.")
            return None
        other = os.path.normpath(os.path.join(os.path.dirname(file), path.value))
        if REMOTE.match(path.value) or not self.is_there(other):
            self.left.append(missing(path, "include", "its services are missing here"))
            return None
        if other in chain:
            self.problems.add(path.mark, f"include: {listed([*chain, other])} include one another.")
            return None
        env = entry.child("env_file") if isinstance(entry.value, dict) else None
        names = env.value if env and isinstance(env.value, list) else [env] if env else []
        more: dict[str, str] = self.beside(other) if env is None else {}
        for name in names:
            beside = os.path.normpath(os.path.join(os.path.dirname(file), str(name.value)))
            if self.is_there(beside):
                more |= read_env(self.text(beside, name.mark) or "", beside, self.problems)
        return self.whole(other, path.mark, variables.beside(self.hidden(more)), chain)

    def is_there(self, file: str) -> bool:
        """Return whether a file that another one names can be looked into."""
        return file in self.asked.texts or os.path.isfile(file)

    # -- extends -----------------------------------------------------------------------------------------------------

    def extended(
        self, name: str, services: Node, file: str, variables: Variables, chain: tuple[tuple[str, str], ...]
    ) -> Node | None:
        """Return a service laid over the one that it extends."""
        service = services.child(name)
        extends = service.child("extends") if service is not None and isinstance(service.value, dict) else None
        if service is None or extends is None:
            return service
        own = replace(service, value={key: it for key, it in mapping(service).items() if key != "extends"})
        base, other = extends.child("service") if isinstance(extends.value, dict) else extends, extends.child("file")
        if base is None or not isinstance(base.value, str):
            self.problems.add(extends.mark, "extends: names no service.", "Write extends: {service: NAME}.")
            return own
        place = (file, name)
        if place in chain:
            self.problems.add(extends.mark, f"extends: {listed(it[1] for it in chain)} extend one another.")
            return own
        if other is not None and isinstance(other.value, str):
            beside = os.path.normpath(os.path.join(os.path.dirname(file), other.value))
            if REMOTE.match(other.value) or not self.is_there(beside):
                self.left.append(
                    missing(other, "extends", "what it gives the service is missing here")._replace(service=name)
                )
                return own
            root, file = self.alone(beside, other.mark, variables), beside
            found = root.child("services") if root is not None else None
            if found is None or not isinstance(found.value, dict):
                return own
            services = found
        if services.child(base.value) is None:
            self.problems.add(base.mark, f"extends: there is no service {shown(base.value)} in {file}.")
            return own
        under = self.extended(base.value, services, file, variables, (*chain, place))
        if under is None or under.value is None:
            return own
        both = laid_over(under, own, self.problems, ("services", name))
        return replace(both, key=service.key)

    # -- profiles ----------------------------------------------------------------------------------------------------

    def with_profiles(self, root: Node, values: Mapping[str, str]) -> Node:
        """Return *root* without services of profiles that nobody asked for; what depends on them loses that."""
        services = root.child("services")
        if services is None or not isinstance(services.value, dict):
            return root
        named = values.get("COMPOSE_PROFILES", "").split(",") if not self.asked.profiles else self.asked.profiles
        wanted = {name.strip() for name in named if name.strip()}
        off = {name: it for name, it in services.value.items() if not is_on(it, wanted)}
        for name, node in off.items():
            below = node.child("profiles")
            assert below is not None
            names = entries_of(below)
            why = f"nobody asked for {'its profile' if len(names) == 1 else 'a profile of it'} ({listed(names)})"
            self.left.append(Left(below.mark, name, "profiles", why, f"only if you run it: --profile {names[0]}"))
        kept = {name: without_dependencies(it, off) for name, it in services.value.items() if name not in off}
        return replace(root, value={**mapping(root), "services": replace(services, value=kept)})


def is_on(service: Node, wanted: set[str]) -> bool:
    """Return whether a service is among those that are started."""
    below = service.child("profiles")
    names = entries_of(below) if below is not None else []
    return not names or "*" in wanted or not wanted.isdisjoint(names)


def entries_of(node: Node) -> list[str]:
    """Return the words of a list, or one word."""
    items = node.value if isinstance(node.value, list) else [node]
    return [str(it.value) for it in items if not isinstance(it.value, dict | list) and it.value is not None]


def without_dependencies(service: Node, names: Collection[str]) -> Node:
    """Return a service that depends on none of *names*."""
    depends = service.child("depends_on") if isinstance(service.value, dict) else None
    if depends is None or not names:
        return service
    if isinstance(depends.value, dict):
        depends = replace(depends, value={name: it for name, it in depends.value.items() if name not in names})
    elif isinstance(depends.value, list):
        depends = replace(depends, value=[it for it in depends.value if str(it.value) not in names])
    return replace(service, value={**mapping(service), "depends_on": depends})


def is_version_1(top: Mapping[str, Node]) -> bool:
    """Return whether the services stand at the top, as in version 1."""
    mappings = [it for name, it in top.items() if isinstance(it.value, dict) and not name.startswith("x-")]
    return (
        not any(key in top for key in ("services", "version", "include", "name"))
        and bool(mappings)
        and any("image" in node.value or "build" in node.value for node in mappings if isinstance(node.value, dict))
    )


def missing(node: Node, key: str, what: str) -> Left:
    """Return the note on a file that is not here."""
    return Left(node.mark, "", key, f"{shown(node.value)} is not here", f"{YES}: {what}")


def only(root: Node, keys: tuple[str, ...]) -> Node:
    """Return *root* with those of its keys."""
    return replace(root, value={key: it for key, it in mapping(root).items() if key in keys})


def mapping(node: Node) -> dict[str, Node]:
    """Return the value of a node that is a mapping."""
    assert isinstance(node.value, dict)
    return node.value
