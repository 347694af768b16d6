"""What `mkdocs build` does besides its plugins.

Links of notebooks lead to pages of the site, and their pages load nothing. The mark `::`, which announces a block of
code in the docstrings, is left out of the reference.
"""

from __future__ import annotations

import logging
import posixpath
import re
from typing import Any

log = logging.getLogger("mkdocs.hooks.notebooks")

_LINK = re.compile(r'href="(?P<path>[^":#]+\.md)(?P<anchor>#[^"]*)?"')
#: Jupyter's template loads Mermaid from the internet where a notebook has diagrams. Ours have none.
_MERMAID = re.compile(r'<script type="module">(?:(?!</script>).)*mermaid(?:(?!</script>).)*</script>', re.DOTALL)


def on_page_content(html: str, page: Any, files: Any, **_: Any) -> str:
    """Return the content of a page, changed where it is a notebook or made from docstrings."""
    source = page.file.src_uri
    if source.startswith("reference/"):
        return html.replace("<p>::</p>", "")
    if not source.endswith(".ipynb"):
        return html

    def resolve(link: re.Match[str]) -> str:
        target = files.get_file_from_path(posixpath.normpath(posixpath.join(posixpath.dirname(source), link["path"])))
        if target is None:
            log.warning("%s links to %s, which does not exist", source, link["path"])
            return link[0]
        return f'href="{target.url_relative_to(page.file)}{link["anchor"] or ""}"'

    return _LINK.sub(resolve, _MERMAID.sub("", html))
