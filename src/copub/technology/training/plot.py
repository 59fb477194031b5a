"""The calibration plot: mean score against the share that was right, as a standalone SVG."""

from __future__ import annotations

from html import escape

import polars as pl

SIZE, MARGIN = 360, 56
_AXIS = 'stroke="#333" stroke-width="1"'
_TEXT = 'font-family="sans-serif" font-size="12" fill="#333"'


def calibration_svg(calibration: pl.DataFrame, title: str) -> str:
    """Return the plot of a table `calibration` (`copub.technology.classifierevaluation.Evaluation`).

    A dot per bin: to the right the mean score, upwards the share of pairs of work and area that the
    readers called core, with its interval; on the dashed line scores are what they say. The
    number of pairs is as a tooltip.
    """
    side = SIZE + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{side}" height="{side}" fill="#fff"/>',
        f'<text x="{side / 2:.0f}" y="{MARGIN / 2:.0f}" text-anchor="middle" {_TEXT}>{escape(title)}</text>',
        f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" stroke="#999" stroke-dasharray="4 4"/>',
        f'<path d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}" fill="none" {_AXIS}/>',
        *_ticks(),
        *(_dot(row) for row in calibration.iter_rows(named=True)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(value: float) -> str:
    return f"{MARGIN + SIZE * value:.1f}"


def _y(value: float) -> str:
    return f"{MARGIN + SIZE * (1 - value):.1f}"


def _ticks() -> list[str]:
    parts = []
    for tenth in range(0, 11, 2):
        value = tenth / 10
        parts.append(f'<text x="{_x(value)}" y="{MARGIN + SIZE + 18}" text-anchor="middle" {_TEXT}>{value:.1f}</text>')
        parts.append(f'<text x="{MARGIN - 8}" y="{_y(value)}" dy="4" text-anchor="end" {_TEXT}>{value:.1f}</text>')
    below, left = MARGIN + SIZE + 40, 16
    middle = MARGIN + SIZE / 2
    parts.append(f'<text x="{middle:.0f}" y="{below}" text-anchor="middle" {_TEXT}>score</text>')
    turned = f'transform="rotate(-90 {left} {middle:.0f})"'
    parts.append(f'<text x="{left}" y="{middle:.0f}" text-anchor="middle" {turned} {_TEXT}>share that is core</text>')
    return parts


def _dot(row: dict[str, float]) -> str:
    x, low, high = _x(row["mean_score"]), _y(row["low"]), _y(row["high"])
    stated = f"mean score {row['mean_score']:.2f}, share {row['share']:.2f}, {row['pairs']} pairs"
    return (
        f'<g stroke="#1f5fa8"><title>{escape(stated)}</title><path d="M{x} {low}V{high}"/>'
        f'<circle cx="{x}" cy="{_y(row["share"])}" r="4" fill="#1f5fa8"/></g>'
    )
