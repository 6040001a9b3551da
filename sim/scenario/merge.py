"""The files that a scenario rests on: `extends:` and `compose:`.

Models: the scenario laid over what it extends, and both over the Compose file, as second -f files are. Leaves out
chains longer than eight files and URLs. Source: Compose specification, "Merge"; Compose file reference, `extends`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as File

from sim.scenario.check import Report
from sim.scenario.compose_file import lay_over_compose
from sim.scenario.layers import beside, merge, without
from sim.scenario.text import Node, read
from sim.scenario.words import listed

MAX_EXTENDS = 8


@dataclass
class Loader:
    """Reads the files that a scenario rests on; what is wrong with any of them goes to *report*."""

    report: Report
    chain: list[str] = field(default_factory=list)

    def whole(self, root: Node) -> Node:
        """Return *root* with what it extends and its Compose file laid under it."""
        if not isinstance(root.value, dict):
            return root
        for key, join in (("extends", self.extended), ("compose", self.composed)):
            node = root.child(key)
            if node is None:
                continue
            if not isinstance(node.value, str) or not node.value:
                self.report.problems.add(node.mark, f"{key}: takes the name of a file.")
                continue
            root = join(without(root, key), node, beside(node.mark.file, node.value))
        return root

    def extended(self, root: Node, node: Node, file: str) -> Node:
        """Lay *root* over the scenario in *file*."""
        if file in self.chain or len(self.chain) >= MAX_EXTENDS:
            self.report.problems.add(node.mark, f"extends: {listed([*self.chain, file])} extend one another.")
            return root
        text = self.read_text(file, node)
        documents = read(text, file, self.report.problems) if text is not None else []
        if not documents:
            return root
        below = Loader(self.report, [*self.chain, file]).whole(documents[0])
        return merge(below, root)

    def composed(self, root: Node, node: Node, file: str) -> Node:
        """Lay *root* over the services and networks of a Compose file."""
        text = self.read_text(file, node)
        if text is None:
            return root
        return lay_over_compose(root, text, file, self.report)

    def read_text(self, file: str, node: Node) -> str | None:
        """Return the text of *file*, which *node* names; None after noting why it cannot be read."""
        try:
            return File(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "not text in UTF-8"
            self.report.problems.add(
                node.mark, f"{file}: {why.lower()}.", "Files are looked for beside the one that names them."
            )
            return None
