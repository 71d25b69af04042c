"""A figure of Matplotlib as SVG within a page: it follows the page's colours, light or dark."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, FAINT = "#010203", "#040506"
"""Stand-ins for what only the page knows: the colour of its text, and that of lines behind."""
SERIES = tuple(f"#0a0b{number:02x}" for number in range(6))
"""Stand-ins for the colours of series: the page has one of each for light and for dark."""
_ROLES = {INK: "currentColor", FAINT: "var(--faint)"} | {
    colour: f"var(--series-{number})" for number, colour in enumerate(SERIES)
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.titlesize": 11,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "grid.alpha": 0.4,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
_WIDTH, _HEIGHT = 5.0, 3.0  # inches; at 72 points each it is as wide as the screen of a phone


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the page's style; the style counts when a figure's parts are made."""
    with mpl.rc_context(_STYLE):
        yield


def new_figure(height: float = _HEIGHT) -> Figure:
    """Return an empty figure of the page's width, and of a height in inches."""
    return Figure(figsize=(_WIDTH, height), layout="constrained")


def inline(figure: Figure, name: str, summary: str) -> str:
    """Return a figure as an `svg` element for a page.

    Args:
        figure: what was drawn within `styled`.
        name: no other figure of the page has it; the element's ids begin with it.
        summary: what it shows, for who cannot see it.
    """
    stream = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(stream, metadata=dict.fromkeys(_METADATA))
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = _ids(text, name)
    for colour, role in _ROLES.items():
        text = text.replace(colour, role)
    box = re.search(r'viewBox="[^"]*"', text)
    head = f'<svg role="img" aria-label="{_attribute(summary)}" {box.group() if box else ""}>'
    return re.sub(r"<svg[^>]*>", lambda _found: head, text, count=1).strip()


_METADATA = ("Date", "Creator", "Format", "Type")


def _ids(text: str, name: str) -> str:
    """Keep the ids that something refers to, and make them the page's own."""
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = re.sub(
        r' id="([^"]*)"',
        lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "",
        text,
    )
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text).replace("xlink:href", "href")


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
