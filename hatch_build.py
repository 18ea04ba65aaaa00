"""What the package index is told: where the project lives, and a README whose links work there.

`repository` under `[tool.hatch.metadata.hooks.custom]` in pyproject.toml is the one place that says
where. Empty, as long as the project has no public home, links stay relative.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PLACES = {"Documentation": "docs", "Changelog": "CHANGELOG.md", "Security": "SECURITY.md"}


class Links(MetadataHookInterface):
    """Sets the README and the URLs."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml says is dynamic."""
        readme = (Path(self.root) / "README.md").read_text("utf-8")
        repository = str(self.config["repository"]).rstrip("/")
        # The hook comes before the version is known to it.
        init = (Path(self.root) / "core" / "hybridge" / "__init__.py").read_text("utf-8")
        version = re.findall(r'^__version__ = "(.+)"$', init, re.MULTILINE)[0]
        metadata["urls"] = urls(repository)
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute(readme, repository, f"v{version}"),
        }


def urls(repository: str) -> dict[str, str]:
    """Return the links beside the project's page on the index."""
    if not repository:
        return {}
    files = {name: f"{repository}/blob/main/{place}" for name, place in PLACES.items()}
    return {"Source": repository, "Issues": f"{repository}/issues", **files}


def absolute(text: str, repository: str, tag: str) -> str:
    """Return Markdown whose relative links lead to files of a tag, and pictures to their bytes."""
    if not repository:
        return text
    relative = r"(?!https?://|#|mailto:)"
    text = re.sub(rf"(!\[[^]]*\]\(){relative}", rf"\g<1>{repository}/raw/{tag}/", text)
    return re.sub(rf"(?<!!)(\[[^]]*\]\(){relative}", rf"\g<1>{repository}/blob/{tag}/", text)
