"""From an altair chart to inline SVG that follows the page: its colours, its type, light and dark.

Charts are drawn in the few colours of `PAINT`, each in place of a CSS variable of the page. They are
laid out for letters that are wider than those they are shown in, so that labels neither overlap nor
leave the drawing where the reader's fonts are wide, such as DejaVu Sans.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import vl_convert

from copub.report.plaintext import printable

PAINT = {
    "#101112": "var(--ink)",
    "#616263": "var(--muted)",
    "#d1d2d3": "var(--rule)",
    "#b1b2b3": "var(--bar)",
    "#0b0c8d": "var(--accent)",
    "#fefdfc": "var(--page)",
}
INK, MUTED, RULE, BAR, ACCENT, PAGE = PAINT

WIDE, NARROW = 700, 330  # widths in pixels: one drawing for the desk, one for the phone
TIP = "value: "
"""Marks whose description starts so show the rest of it on hover and on focus."""
_FONT = "Liberation Sans"  # travels with vl-convert; the page sets this or a font of the same widths
_SLACK = 1.22  # DejaVu Sans is up to so much wider than Liberation Sans
_LABEL = 200  # characters; the longest label drawn is far shorter
_COLOURS = re.compile(rf'(fill|stroke)="({"|".join(PAINT)})"')
_SIZES = re.compile(r'font-size="([\d.]+)px"')
_HIDDEN = re.compile(r'<text [^>]*opacity="0"[^>]*>[^<]*</text>')  # labels of an axis that found no space
_TIPS = re.compile(rf'aria-label="{TIP}([^"]*)"')
_ROLES = re.compile(r' (?:aria-label|aria-roledescription|role)="[^"]*"')


def letters(size: float) -> float:
    """Return the size at which text of `size` pixels is laid out."""
    return round(size * _SLACK, 2)


_STYLE: dict[str, Any] = {
    "font": _FONT,
    "background": "transparent",
    "padding": {"left": 4, "right": 12, "top": 6, "bottom": 4},
    "view": {"stroke": None},
    "axisY": {"minExtent": 38},
    "axis": {
        "labelColor": MUTED, "titleColor": MUTED, "gridColor": RULE, "domainColor": RULE, "tickColor": RULE,
        "labelFontSize": letters(12), "titleFontSize": letters(12), "titleFontWeight": "normal", "labelLimit": 230,
        "titlePadding": 8, "labelFlush": False,
    },
    "legend": {
        "labelColor": INK, "labelFontSize": letters(12), "labelLimit": 300, "orient": "top", "symbolSize": 90,
        "offset": 4, "padding": 0, "symbolStrokeWidth": 2,
    },
    "title": {
        "color": INK, "fontSize": letters(13), "fontWeight": 600, "anchor": "start", "frame": "group", "offset": 6,
    },
    "text": {"color": INK, "fontSize": letters(12)},
}  # fmt: skip


def draw(chart: Any, locale: Any) -> str:
    """Return the chart as one SVG element coloured by CSS variables.

    `locale` names the number format (d3-format) of its axes. Text from outside is escaped by the
    renderer; nothing in the drawing can be followed or run.
    """
    specification = _fit(chart.to_dict(validate=False))
    return _drawn(json.dumps(specification), json.dumps(locale))


@lru_cache(maxsize=64)  # drawing is slow, and a run that is verified draws what was drawn before
def _drawn(specification: str, locale: str) -> str:
    drawn: str = vl_convert.vegalite_to_svg(
        specification, config=_STYLE, format_locale=json.loads(locale), allowed_base_urls=[]
    )
    drawn = _COLOURS.sub(lambda found: f'{found[1]}="{PAINT[found[2]]}"', drawn)
    drawn = _SIZES.sub(lambda found: f'font-size="{float(found[1]) / _SLACK:.3g}px"', drawn)
    drawn = _ROLES.sub("", _TIPS.sub(r'data-tip="\1"', _HIDDEN.sub("", drawn)))
    drawn = drawn.replace(f' font-family="{_FONT}"', "")
    return drawn.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _fit(part: Any) -> Any:
    """Return a specification whose texts the renderer can take: a control sign would end the process."""
    if isinstance(part, str):
        return printable(part)[:_LABEL]
    if isinstance(part, dict):
        return {key: _fit(value) for key, value in part.items()}
    return [_fit(value) for value in part] if isinstance(part, list) else part
