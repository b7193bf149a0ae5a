# SPDX-License-Identifier: GPL-2.0
"""Bar charts as SVG, by hand: a row a benchmark."""
import math
from xml.sax.saxutils import escape

ROW, LABEL, WIDTH = 18, 130, 560
COLOURS = ["#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1",
           "#ff9da7", "#9c755f", "#bab0ac"]


class Chart:
    def __init__(self, title, note):
        self.parts = []
        self.y = 46
        self.text(10, 18, title, 14)
        self.text(10, 34, note, 11)

    def text(self, x, y, words, size=11, anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
                          f'text-anchor="{anchor}">{escape(words)}</text>')

    def rect(self, x, y, width, height, colour, hint=""):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" '
                          f'height="{height}" fill="{colour}"><title>{escape(hint)}</title></rect>')

    def line(self, x, top, bottom, colour):
        self.parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" '
                          f'stroke="{colour}"/>')

    def save(self, path):
        height = self.y + 20
        with open(path, "w") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + WIDTH + 90}" '
                       f'height="{height}" font-family="sans-serif">\n'
                       '<rect width="100%" height="100%" fill="white"/>\n'
                       + "\n".join(self.parts) + "\n</svg>\n")


def log_bars(chart, rows, limits, highest):
    """Rows of (name, value), from 0.1 to the highest, a mark where the limit is."""
    span = math.log10(max(highest, 10)) + 1

    def at(value):
        return LABEL + (math.log10(max(value, 0.1)) + 1) / span * WIDTH

    top = chart.y
    for name, value in rows:
        chart.text(LABEL - 6, chart.y + 12, name, anchor="end")
        low, high = sorted((at(1), at(value)))
        chart.rect(low, chart.y + 3, high - low, ROW - 6, COLOURS[0 if value >= 1 else 4],
                   f"{name}: {value:.3g}")
        chart.text(high + 4, chart.y + 12, f"{value:.3g}", 10)
        if name in limits:
            chart.line(at(limits[name]), chart.y, chart.y + ROW, COLOURS[2])
        chart.y += ROW
    chart.line(at(1), top, chart.y, "#888")


def ratios(rows, targets, path):
    values = [(r["name"], r["ratio"]) for r in rows if r["ratio"]]
    limits = {t["measure"].split(" ", 1)[1]: t["limit"] for t in targets
              if t["measure"].startswith("instructions ")}
    chart = Chart("Instructions under vmon to instructions alone",
                  "Bochs, logarithmic; red: the target")
    log_bars(chart, values, limits, max([v for _, v in values], default=1))
    chart.save(path)


def peer(rows, path):
    values = [(r["name"], r["peer_ratio"]) for r in rows if r["peer_ratio"]]
    chart = Chart("Instructions of QEMU TCG to those of vmon, in the same host",
                  "more than 1: vmon takes fewer; logarithmic")
    log_bars(chart, values, {}, max([v for _, v in values], default=1))
    chart.save(path)


def causes(rows, names, path):
    """Shares of the events that an operation meets."""
    chart = Chart("Why the guest was left", "share of the events counted; hover for the number")
    for i, name in enumerate(names):
        x, y = LABEL + i % 4 * 150, chart.y + i // 4 * 14
        chart.rect(x, y, 10, 10, COLOURS[i % len(COLOURS)])
        chart.text(x + 14, y + 9, name, 10)
    chart.y += (len(names) + 3) // 4 * 14 + 8
    for r in rows:
        total = sum(r["counts"].get(name, 0) for name in names)
        if total < 0.05:
            continue
        chart.text(LABEL - 6, chart.y + 12, r["name"], anchor="end")
        x = LABEL
        for i, name in enumerate(names):
            value = r["counts"].get(name, 0)
            width = value / total * WIDTH
            if value > 0:
                chart.rect(x, chart.y + 3, width, ROW - 6, COLOURS[i % len(COLOURS)],
                           f"{name}: {value:.3g} an operation")
            x += width
        chart.y += ROW
    chart.save(path)
