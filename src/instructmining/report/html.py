"""One self-contained HTML page from headings, words, charts and tables.

A page asks nothing of the network: the Vega and DataTables bundles travel in it once, compressed, and only
where the page has a chart or a table. Plain text is escaped everywhere; ``markupsafe.Markup`` is kept as it is.
"""

import gzip
import json
import math
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import jinja2
import polars as pl
import vl_convert
from itables.javascript import get_expanded_classes, get_expanded_style, get_itable_arguments
from itables.typing import JavascriptFunction
from markupsafe import Markup

from instructmining.report.charts.base import Figure

_NOTEBOOK_OPTIONS = {
    "connected",
    "display_logo_when_loading",
    "dt_url",
    "warn_on_undocumented_option",
    "warn_on_unexpected_option_type",
}
# Rows from which a search is a help, and characters from which a text may be cut off by its column.
_SEARCHED = 10
_CUT = 60
# No more decimals than a reader takes in: smaller columns have exponents.
_MOST_DECIMALS = 6


class Part(NamedTuple):
    """One block of a page: ``html`` is ready; ``specs`` are drawn by the page's script, in order; ``note`` is below."""

    kind: str
    html: Markup = Markup("")
    specs: tuple[dict[str, Any], ...] = ()
    note: Markup = Markup("")


def heading(text: str, level: int = 2) -> Part:
    """A heading of level 2 or 3 (level 1 is the page's title)."""
    return Part("html", Markup("<h{0}>{1}</h{0}>").format(level, text))


def words(*paragraphs: str) -> Part:
    """Paragraphs of text."""
    return Part("html", Markup("\n").join(Markup("<p>{}</p>").format(text) for text in paragraphs))


def bullets(items: Sequence[str]) -> Part:
    """A list."""
    lines = Markup("").join(Markup("<li>{}</li>").format(item) for item in items)
    return Part("html", Markup("<ul>{}</ul>").format(lines))


def warning(text: str) -> Part:
    """A paragraph that the reader must not miss."""
    return Part("html", Markup('<p class="warning">{}</p>').format(text))


def note(text: str) -> Part:
    """A small, quiet paragraph."""
    return Part("html", Markup('<p class="note">{}</p>').format(text))


def facts(pairs: dict[str, str]) -> Part:
    """A row of figures: what each is, and its value."""
    cells = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value) for name, value in pairs.items()
    )
    return Part("html", Markup('<dl class="facts">{}</dl>').format(cells))


def legend(colours: Mapping[str, str], dashed: Collection[str] = ()) -> Part:
    """What each colour stands for, once for all the charts below. ``colours``: name -> CSS colour; ``dashed``: names
    whose lines are."""
    names = Markup("").join(
        Markup('<li><span style="border-color:{};{}"></span>{}</li>').format(
            colour, "" if name in dashed else f"background:{colour}", name
        )
        for name, colour in colours.items()
    )
    return Part("html", Markup('<ul class="legend">{}</ul>').format(names))


def html(markup: Markup) -> Part:
    """HTML made elsewhere with ``Markup.format``, that is, escaped there."""
    return Part("html", markup)


def charts(*figures: Figure, note: str = "") -> Part:
    """Charts side by side where the window is wide enough, with a note below."""
    return Part("charts", specs=tuple(_spec(figure) for figure in figures), note=Markup("{}").format(note))


def beside(parts: Sequence[Part], *figures: Figure, note: str = "") -> Part:
    """A section of words, with one chart at most beside them where the window is wide enough, and its note below."""
    words = Markup("\n").join(part.html for part in parts)
    return Part("beside", words, tuple(_spec(figure) for figure in figures), Markup("{}").format(note))


def table(frame: pl.DataFrame, note: str = "", rows: int = 10, digits: int = 4) -> Part:
    """A sortable table, searchable from ten rows on. Floats are kept in full.

    A column's decimals are those that give its largest value ``digits`` digits; what would then have fewer than three
    has three. Long texts are cut off by the column's width until they are clicked; the search finds them all the same.
    """
    numeric = [i for i, dtype in enumerate(frame.dtypes) if dtype.is_numeric()]
    floats = [i for i, dtype in enumerate(frame.dtypes) if dtype.is_float()]
    texts = [column for column in frame if column.dtype == pl.String]
    if any(len(text or "") > _CUT for column in texts for text in column):
        note = f"{note} Click a text that is cut off to read all of it.".lstrip()
    arguments = get_itable_arguments(
        frame,
        columnDefs=[
            *({"targets": [i], "render": _shown(frame.to_series(i), digits)} for i in floats),
            {"targets": numeric, "className": "dt-right"},
            {"targets": "_all", "defaultContent": ""},
        ],
        classes=["display", "compact", "nowrap"],
        style={"width": "100%"},
        layout={
            "topStart": None,
            "topEnd": "search" if frame.height > _SEARCHED else None,
            "bottomStart": "info" if frame.height > rows else None,
            "bottomEnd": "paging",
        },
        pageLength=rows,
        paging=frame.height > rows,
        scrollX=True,
        show_dtypes=False,
        showIndex=False,
        maxBytes=0,
        text_in_header_can_be_selected=False,
    )
    # What itables' own HTML template does: the options of DataTables, without those of a notebook.
    options = {key: value for key, value in arguments.items() if key not in _NOTEBOOK_OPTIONS}
    options |= {"classes": get_expanded_classes(arguments["classes"]), "style": get_expanded_style(arguments["style"])}
    return Part("table", specs=(options,), note=Markup("{}").format(note))


def arranged(frame: pl.DataFrame, first: Sequence[str] = (), constant: Sequence[str] = ()) -> pl.DataFrame:
    """A table's columns for reading: ``first`` before the others, and those of ``constant`` that differ between rows.

    On a phone two or three columns are seen, so what is looked for comes first and what is always the same goes.
    """
    same = {name for name in constant if name in frame.columns and frame[name].drop_nulls().n_unique() <= 1}
    ordered = [*first, *(name for name in frame.columns if name not in first)]
    return frame.select(name for name in ordered if name not in same)


def page(title: str, parts: Sequence[Part]) -> str:
    """Assemble the page. The same parts give the same bytes."""
    return _template().render(
        title=title,
        parts=parts,
        specs=_json([spec for part in parts for spec in part.specs]),
        vega=_vega() if any(part.specs for part in parts if part.kind != "table") else "",
        tables=_datatables("js") if any(part.kind == "table" for part in parts) else "",
        tables_css=_datatables("css") if any(part.kind == "table" for part in parts) else "",
    )


def _shown(column: pl.Series, digits: int) -> JavascriptFunction:
    """How the page shows a column of floats: aligned decimals, and at least three digits of what is small."""
    sizes = [abs(value) for value in column.to_list() if value is not None and math.isfinite(value)]
    whole = all(size.is_integer() for size in sizes)
    largest = max(sizes, default=0.0)
    decimals = 0 if whole else max(0, digits - 1 - math.floor(math.log10(largest)))
    aligned = "0" if whole else "Infinity" if decimals > _MOST_DECIMALS else f"1e{2 - decimals}"
    return JavascriptFunction(
        "function (data, type) { if (type !== 'display' || typeof data !== 'number') return data; "
        f"const size = Math.abs(data); return !data ? '0' : size >= {aligned} ? data.toFixed({min(decimals, 20)}) : "
        "size < 1e-4 ? data.toExponential(2) : data.toPrecision(3); }"
    )


def _spec(figure: Figure) -> dict[str, Any]:
    spec = figure.to_dict()
    # Only the address of the schema: nothing reads it, and a page should name no address.
    spec.pop("$schema")
    spec.pop("config", None)
    return spec


def _json(data: Any) -> Markup:
    """JSON for a script element: "<" cannot end it, whatever the texts hold."""
    return Markup(json.dumps(data, sort_keys=True, allow_nan=False).replace("<", "\\u003c"))


def _packed(text: str) -> str:
    return b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


@cache
def _vega() -> str:
    return _packed(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


@cache
def _datatables(suffix: str) -> str:
    return _packed(files("itables").joinpath(f"html/dt_bundle.{suffix}").read_text(encoding="utf-8"))


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("instructmining.report", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("page.html.j2")
