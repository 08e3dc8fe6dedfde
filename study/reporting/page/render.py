"""The page as one HTML file: style and script inside, nothing fetched, every text escaped by the template."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from study.reporting.page.page import Page


def render(page: Page) -> str:
    """The whole page; equal pages give equal text.

    A content security policy forbids all that is not in the file: no fetch, and no script but the one whose hash it
    names, so that even a hole in the escaping could not run anything.
    """
    style, script = (
        files("study.reporting.page").joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js")
    )
    environment = Environment(
        loader=PackageLoader("study.reporting.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    # Without the element's own line ends, which the browser hashes too.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment.get_template("page.html.j2")
    return template.render(page=page, style=style, script=script, script_hash=digest)
