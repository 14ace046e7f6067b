"""What the bench prints: one JSON line a row for programs, a table for people."""

import json
from collections.abc import Sequence
from statistics import median

from bench.rows import Row

_HEADINGS = ("name", "ours", "base", "ratio", "[min..max]", "goal", "verdict", "load", "CPU s (ours, base)")
_SECONDS = ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (0.0, 1e6, "µs"))


def json_line(row: Row) -> str:
    """One line. Figures are medians in the row's unit; `ratio`, `min` and `max` are null where there is no base."""
    ratios = row.ratios
    return json.dumps(
        {
            "name": row.name,
            "ours": _short(median(row.ours)),
            "base": _short(median(row.base)) if row.base else None,
            "ratio": None if row.ratio is None else _short(row.ratio),
            "goal": str(row.goal),
            "verdict": row.verdict,
            "unit": row.unit,
            "min": _short(min(ratios)) if ratios else None,
            "max": _short(max(ratios)) if ratios else None,
            "repetitions": len(row.ours),
            "load": round(row.load, 2),
            "cpu_ours_s": round(row.cpu_ours_s, 2),
            "cpu_base_s": round(row.cpu_base_s, 2),
        },
        ensure_ascii=False,
    )


def table(rows: Sequence[Row]) -> str:
    """All rows in aligned columns, under headings."""
    lines = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    ratios = row.ratios
    return (
        row.name,
        figure(median(row.ours), row.unit),
        figure(median(row.base), row.unit) if row.base else "–",
        "–" if row.ratio is None else f"{row.ratio:.3g}",
        f"[{min(ratios):.3g}..{max(ratios):.3g}]" if ratios else "–",
        str(row.goal),
        row.verdict,
        f"{row.load:.1f}",
        f"{row.cpu_ours_s:.1f}, {row.cpu_base_s:.1f}" if row.base else f"{row.cpu_ours_s:.1f}",
    )


def figure(value: float, unit: str) -> str:
    """With three digits that tell something; seconds in the unit that suits them."""
    if unit != "s":
        return f"{value:,.0f} {unit}".rstrip()
    for least, factor, name in _SECONDS:
        if value >= least:
            return f"{value * factor:.3g} {name}"
    return f"{value:g} s"


def _short(value: float) -> float:
    return float(f"{value:.6g}")
