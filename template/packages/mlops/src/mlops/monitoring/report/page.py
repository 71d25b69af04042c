"""The page as HTML: one file that asks no host for anything."""

import re
from importlib.resources import files

from markupsafe import Markup, escape

from mlops.html_page import page_environment
from mlops.monitoring.report.content import Page


def render(page: Page) -> str:
    """Return the page: text is escaped, and pictures stand in it."""
    environment = page_environment()
    environment.filters["told"] = told
    source = files("mlops.monitoring.report").joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(source).render(page=page)


def told(text: str) -> Markup:
    """Return a sentence with its commands, which stand in backticks, marked as code."""
    parts = re.split(r"`([^`]*)`", text)
    marked = [
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part)
        for n, part in enumerate(parts)
    ]
    return Markup("").join(marked)
