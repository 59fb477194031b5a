"""From an altair chart to inline SVG that follows the page: its colours, its type, light and dark.

Charts are drawn in the few colours of `PAINT`, each in place of a CSS variable of the page.
"""

from __future__ import annotations

import re
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
_FONT = "Liberation Sans"  # travels with vl-convert; the page sets this or a font of the same widths
_LABEL = 200  # characters; the longest label drawn is far shorter
_COLOURS = re.compile(rf'(fill|stroke)="({"|".join(PAINT)})"')


_STYLE: dict[str, Any] = {
    "font": _FONT,
    "background": "transparent",
    "padding": {"left": 4, "right": 12, "top": 6, "bottom": 4},
    "aria": False,
    "view": {"stroke": None},
    "axisY": {"minExtent": 38},
    "axis": {
        "labelColor": MUTED, "titleColor": MUTED, "gridColor": RULE, "domainColor": RULE, "tickColor": RULE,
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 230, "titlePadding": 8,
        "labelFlush": False,
    },
    "legend": {
        "labelColor": INK, "labelFontSize": 12, "orient": "top", "symbolSize": 90, "offset": 4, "padding": 0,
        "symbolStrokeWidth": 2,
    },
    "title": {"color": INK, "fontSize": 13, "fontWeight": 600, "anchor": "start", "frame": "group", "offset": 6},
    "text": {"color": INK, "fontSize": 12},
}  # fmt: skip


def draw(chart: Any, locale: Any) -> str:
    """Return the chart as one SVG element coloured by CSS variables.

    `locale` names the number format (d3-format) of its axes. Text from outside is escaped by the
    renderer; nothing in the drawing can be followed or run.
    """
    specification = _fit(chart.to_dict(validate=False))
    drawn: str = vl_convert.vegalite_to_svg(specification, config=_STYLE, format_locale=locale, allowed_base_urls=[])
    drawn = _COLOURS.sub(lambda found: f'{found[1]}="{PAINT[found[2]]}"', drawn)
    drawn = drawn.replace(f' font-family="{_FONT}"', "")
    return drawn.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _fit(part: Any) -> Any:
    """Return a specification whose texts the renderer can take: a control sign would end the process."""
    if isinstance(part, str):
        return printable(part)[:_LABEL]
    if isinstance(part, dict):
        return {key: _fit(value) for key, value in part.items()}
    return [_fit(value) for value in part] if isinstance(part, list) else part
