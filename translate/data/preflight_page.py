"""The report on a folder of pictures as one page that needs nothing else: thumbnails and drawings are inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from translate.data.looks import Failure, Look, Portion, eight_bits
from translate.data.preflight import Preflight
from translate.errors import UserError

#: The longer side of a thumbnail in pixels; how many are shown of a portion, beside its extremes; of a group; and how many groups.
SIDE, SHOWN, MEMBERS, GROUPS = 144, 8, 4, 24
#: Names in a list of files.
LISTED = 100

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-top: 1px solid var(--line); padding-top: 1rem; }
code { background: var(--soft); padding: .15em .35em; border-radius: .25em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .25rem .9rem .25rem 0; vertical-align: top; white-space: nowrap; }
.error, .warning, .good { border-left: .3rem solid; padding: .35rem .7rem; margin: .5rem 0; background: var(--soft); }
.error { border-color: #d33; } .warning { border-color: #d90; } .good { border-color: #2a4; }
.row { display: flex; flex-wrap: wrap; gap: .6rem; margin: .5rem 0; }
figure { margin: 0; width: 9rem; font-size: .75rem; } figure img { max-width: 100%; display: block; background: var(--soft); }
.group { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem; }
.swatch { display: inline-block; width: 1.1em; height: 1.1em; vertical-align: -.15em; border: 1px solid var(--line); margin-right: .3em; }
svg { width: 16rem; max-width: 100%; height: 4.5rem; background: var(--soft); }
details ul { padding-left: 1.2rem; font-size: .85rem; }
"""
COLOURS = ("#e33", "#2a2", "#36f")


def page(found: Preflight) -> str:
    """The report as HTML. Pictures are read anew for their thumbnails; those that cannot be any more are left out."""
    owners = [portion for portion in found.portions for _ in portion.looks]
    looks = found.looks()
    title = escape(f"Pictures in {found.root}" if found.root else f"Pictures of {', '.join(found.names)}")
    parts = [
        f"<h1>{title}</h1>",
        f"<p>{escape(found.summary)}</p>",
        *_verdict(found),
        *(part for portion in found.portions for part in _portion(portion)),
    ]
    if found.groups:
        more = f"; the first {GROUPS} are shown" if len(found.groups) > GROUPS else ""
        parts.append(f"<h2>The same, or nearly</h2><p>{len(found.groups)} groups of pictures{more}.</p><div class=row>")
        for group in found.groups[:GROUPS]:
            figures = "".join(_figure(owners[number], looks[number]) for number in group.members[:MEMBERS])
            kind = "the same bytes" if group.exact else "nearly the same"
            parts.append(f"<div class=group>{len(group.members)} pictures, {kind}<div class=row>{figures}</div></div>")
        parts.append("</div>")
    return (
        f'<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _verdict(found: Preflight) -> Iterable[str]:
    for finding in found.findings:
        yield f"<div class={finding.level}>{escape(finding.text)}{_names(finding.names)}</div>"
    if not found.works:
        yield "<div class=error>Training cannot work.</div>"
    elif found.command is not None:
        yield f"<div class=good>Train on it: <code>{escape(found.command)}</code></div>"


def _portion(portion: Portion) -> Iterable[str]:
    domain = portion.domain
    yield f"<h2>{escape(portion.name)}{'' if portion.split == 'train' else ', for testing'}</h2>"
    rows = {
        "pictures" if domain.is_picture else "points": str(len(portion.looks) if domain.is_picture else len(domain)),
        "from": domain.origin,
        "values": f"{domain.channels} channel{'' if domain.channels == 1 else 's'} of {domain.dtype}, {domain.window[0]:g} black and "
        f"{domain.window[1]:g} white",
    }
    if portion.looks:
        rows |= {f"{which} size": size for which, size in portion.sizes().items()}
        rows |= {
            "formats": _tally(portion, "format"),
            "channels": _tally(portion, "channels"),
            "depths": _tally(portion, "dtype"),
        }
    cells = "".join(f"<tr><th>{escape(name)}<td>{escape(text)}" for name, text in rows.items() if text)
    yield f"<div class=scroll><table>{cells}{_colours(portion) if portion.looks else ''}</table></div>"
    yield _failures("cannot be decoded", portion.damaged) + _failures("left out", portion.left_out)
    if not portion.looks:
        return
    yield "<div class=row>"
    for place in np.linspace(0, len(portion.looks) - 1, min(SHOWN, len(portion.looks))).round():
        yield _figure(portion, portion.looks[int(place)])
    yield "</div><div class=row>"
    for which, look in _extremes(portion.looks).items():
        yield _figure(portion, look, f"{which}: ")
    yield "</div>"


def _tally(portion: Portion, what: str) -> str:
    return ", ".join(f"{value}: {count}" for value, count in portion.tally(what).items() if value)


def _extremes(looks: Sequence[Look]) -> dict[str, Look]:
    pixels = [look.height * look.width for look in looks]
    light = [look.brightness for look in looks]
    return {
        "smallest": looks[int(np.argmin(pixels))],
        "largest": looks[int(np.argmax(pixels))],
        "darkest": looks[int(np.argmin(light))],
        "brightest": looks[int(np.argmax(light))],
    }


def _colours(portion: Portion) -> str:
    """Rows of the table: mean and deviation of each channel, and how often each level is."""
    means, deviations = portion.mean(), portion.std()
    mean = "".join(_swatch(_paint(number, value, len(means))) + f"{value:.0f} " for number, value in enumerate(means))
    if len(means) in (1, 3):
        mean = _swatch("rgb({:.0f} {:.0f} {:.0f})".format(*np.resize(means, 3))) + "all &nbsp; " + mean
    spread_out = " ".join(f"{value:.0f}" for value in deviations)
    return f"<tr><th>mean<td>{mean}<tr><th>deviation<td>{spread_out}<tr><th>levels<td>{_drawing(portion.histogram)}"


def _paint(number: int, value: float, count: int) -> str:
    levels = [value if count != 3 or each == number else 0 for each in range(3)]
    return "rgb({:.0f} {:.0f} {:.0f})".format(*levels)


def _swatch(colour: str) -> str:
    return f'<span class=swatch style="background:{colour}"></span>'


def _drawing(histogram: NDArray[np.int64]) -> str:
    """How often each of 64 levels is, a line for each channel."""
    counts = histogram.reshape(len(histogram), 64, 4).sum(axis=2)
    # A few levels, as a white background, would press all others to the ground.
    heights = np.minimum(counts / max(1.0, float(np.quantile(counts, 0.98))), 1) * 70
    lines = (
        f'<polyline fill="none" stroke="{COLOURS[number % 3] if len(heights) == 3 else "currentColor"}" stroke-width="1.5" points="'
        f'{" ".join(f"{4 * x},{72 - y:.1f}" for x, y in enumerate(row))}"/>'
        for number, row in enumerate(heights)
    )
    return f'<svg viewBox="0 0 252 74" preserveAspectRatio="none" role="img" aria-label="levels">{"".join(lines)}</svg>'


def _figure(portion: Portion, look: Look, lead: str = "") -> str:
    try:
        shown = eight_bits(portion.domain, look.number)
    except (UserError, OSError):
        return ""
    colours = shown[..., :3] if shown.shape[2] >= 3 else shown[..., 0]
    image = Image.fromarray(colours)
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    source = base64.b64encode(file.getvalue()).decode()
    caption = escape(f"{lead}{look.name}, {look.width}x{look.height}")
    return (
        f'<figure><img src="data:image/jpeg;base64,{source}" width={image.width} height={image.height} alt="{escape(look.name)}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _failures(what: str, failures: Sequence[Failure]) -> str:
    if not failures:
        return ""
    return f"<p>{len(failures)} {what}:</p><ul>{_items([f'{each.name}: {each.reason}' for each in failures])}</ul>"


def _names(names: Sequence[str]) -> str:
    return f"<details><summary>{len(names)} pictures</summary><ul>{_items(names)}</ul></details>" if names else ""


def _items(lines: Sequence[str]) -> str:
    more = f"<li>and {len(lines) - LISTED} more" if len(lines) > LISTED else ""
    return "".join(f"<li>{escape(line)}" for line in lines[:LISTED]) + more
