"""What the documentation site does with a page before it is built; `mkdocs.yml` names this file.

Pages link to files of the repository that are no pages, such as `../deploy/compose.yaml`. In the
repository these lead there; on the site, which does not hold them, their names remain.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

LINK = re.compile(r"(?<!!)\[([^]]*)\]\(([^)#\s]+)[^)]*\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Replace the links that lead out of `docs/` by their texts."""
    folder = posixpath.dirname(page.file.src_uri)

    def leads_out(target: str) -> bool:
        path = posixpath.normpath(posixpath.join(folder, target))
        return "://" not in target and path.startswith("..")

    return LINK.sub(lambda link: link[1] if leads_out(link[2]) else link[0], markdown)
