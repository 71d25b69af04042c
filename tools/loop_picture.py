"""docs/images/loop.svg, the loop that a project runs: `make picture`.

One file without scripts or fonts of its own, whose colours follow the reader's light or dark mode.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tools.worktree import ROOT

TARGET = ROOT / "docs" / "images" / "loop.svg"
WIDTH, HEIGHT = 960, 396
BOX_WIDTH, BOX_HEIGHT = 168, 74
STYLE = """
  text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 16px; }
  .small { font-size: 12.5px; fill: #59636e; }
  .box { fill: #f6f8fa; stroke: #818b98; stroke-width: 1.25; }
  .asks { fill: #ddf4ff; stroke: #0969da; }
  .way { fill: none; stroke: #59636e; stroke-width: 1.75; marker-end: url(#tip); }
  .back { stroke: #bc4c00; stroke-dasharray: 6 4; marker-end: url(#tip-back); }
  .tip { fill: #59636e; } .tip-back { fill: #bc4c00; } .word { fill: #bc4c00; font-size: 12.5px; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .small { fill: #b7bfc8; }
    .box { fill: #151b23; stroke: #656c76; } .asks { fill: #0c2d6b; stroke: #4493f8; }
    .way { stroke: #9198a1; } .tip { fill: #9198a1; }
    .back { stroke: #f0883e; } .tip-back, .word { fill: #f0883e; }
  }
"""
DESCRIPTION = (
    "Data are checked, a model is trained and judged by a gate, registered, released to test and "
    "then to production beside the old version, and watched. An alarm goes back to the version "
    "before, drift trains a candidate, and what a gate refuses changes nothing."
)


@dataclass(frozen=True)
class Box:
    """A step, drawn at the place of its top left corner."""

    x: int
    y: int
    title: str
    lines: tuple[str, str]
    asks: bool = False

    def svg(self) -> str:
        """Return it as SVG; what may refuse has another colour."""
        middle = self.x + BOX_WIDTH // 2
        kind = "box asks" if self.asks else "box"
        texts = [_text(middle, self.y + 24, self.title, "title")]
        texts += [
            _text(middle, self.y + 44 + 17 * number, line, "small")
            for number, line in enumerate(self.lines)
        ]
        size = f'width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"'
        return "\n".join([f'<rect class="{kind}" x="{self.x}" y="{self.y}" {size}/>', *texts])


@dataclass(frozen=True)
class Way:
    """An arrow along points; a way back is drawn otherwise, with a word beside it."""

    path: str
    back: bool = False
    word: str = ""
    at: tuple[int, int] = (0, 0)

    def svg(self) -> str:
        """Return it as SVG."""
        kind = "way back" if self.back else "way"
        drawn = f'<path class="{kind}" d="{self.path}"/>'
        return f"{drawn}\n{_text(*self.at, self.word, 'word')}" if self.word else drawn


_LEFT, _MIDDLE, _RIGHT, _LAST = 20, 264, 508, 752
_TOP, _BOTTOM = 60, 262
BOXES = (
    Box(_LEFT, _TOP, "Data", ("contract: bad rows", "are refused, numbered"), asks=True),
    Box(_MIDDLE, _TOP, "Train", ("features, fit, ONNX,", "the same again")),
    Box(_RIGHT, _TOP, "Gate", ("limits, a baseline,", "the present champion"), asks=True),
    Box(_LAST, _TOP, "Register", ("lineage, model card,", "drift baseline")),
    Box(_LAST, _BOTTOM, "Release to test", ("at 0 %, smoke test,", "then all traffic"), asks=True),
    Box(_RIGHT, _BOTTOM, "Release to prod", ("approvals, blue/green,", "A/B test"), asks=True),
    Box(_MIDDLE, _BOTTOM, "Watch", ("latency, errors, drift,", "late labels")),
    Box(_LEFT, _BOTTOM, "Tell", ("Teams, Slack, pager,", "incident, report page")),
)
_HALF = BOX_HEIGHT // 2
WAYS = (
    *(Way(f"M{x + BOX_WIDTH} {_TOP + _HALF}H{x + 244 - 6}") for x in (_LEFT, _MIDDLE, _RIGHT)),
    Way(f"M{_LAST + BOX_WIDTH // 2} {_TOP + BOX_HEIGHT}V{_BOTTOM - 6}"),
    *(Way(f"M{x} {_BOTTOM + _HALF}H{x - 76 + 6}") for x in (_LAST, _RIGHT, _MIDDLE)),
    Way(
        f"M{_MIDDLE + BOX_WIDTH // 2} {_BOTTOM}V{_TOP + BOX_HEIGHT + 6}",
        back=True,
        word="drift, performance, age: a candidate",
        at=(_MIDDLE + BOX_WIDTH // 2 + 122, 202),
    ),
    Way(
        f"M{_MIDDLE + BOX_WIDTH // 2} {_BOTTOM + BOX_HEIGHT}v26H{_RIGHT + BOX_WIDTH // 2}"
        f"V{_BOTTOM + BOX_HEIGHT + 6}",
        back=True,
        word="errors, latency: the version before, at once",
        at=((_MIDDLE + _RIGHT + BOX_WIDTH) // 2, _BOTTOM + BOX_HEIGHT + 46),
    ),
)


def _text(x: int, y: int, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="middle">{escape(words)}</text>'


def _tip(name: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path class="{name}" d="M0 0L10 5L0 10z"/></marker>'
    )


def picture(boxes: Sequence[Box] = BOXES, ways: Sequence[Way] = WAYS) -> str:
    """Return the picture, as SVG."""
    legend = _text(
        WIDTH // 2, 30, "What is blue may refuse: then what served before serves on.", "small"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title description">',
        '<title id="title">The loop of a project</title>',
        f'<desc id="description">{escape(DESCRIPTION)}</desc>',
        f"<style>{STYLE}</style>",
        f"<defs>{_tip('tip')}{_tip('tip-back')}</defs>",
        legend,
        *(way.svg() for way in ways),
        *(box.svg() for box in boxes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(picture(), encoding="utf-8", newline="\n")
