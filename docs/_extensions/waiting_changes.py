"""The sentences that wait in ``changelog.d``, grouped by kind, wherever ``{waiting-changes}`` stands."""

from pathlib import Path

from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import nodes

FOLDER = Path(__file__).resolve().parents[2] / "changelog.d"
KINDS = {"added": "Added", "changed": "Changed", "fixed": "Fixed", "removed": "Removed"}


def gather(folder: Path) -> list[str]:
    """Lines of a Markdown list per kind; the file name ``TOPIC.KIND.md`` says where a sentence goes."""
    lines = []
    for kind, title in KINDS.items():
        sentences = [path.read_text(encoding="utf-8").strip() for path in sorted(folder.glob(f"*.{kind}.md"))]
        if sentences:
            lines += [f"**{title}**", "", *(f"- {sentence}" for sentence in sentences), ""]
    return lines


class WaitingChanges(Directive):
    """Parse the gathered lines in place."""

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the list."""
        container = nodes.container()
        self.state.nested_parse(StringList(gather(FOLDER), source=str(FOLDER)), 0, container)
        return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("waiting-changes", WaitingChanges)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
