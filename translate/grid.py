"""Picture grids: what the networks make of the same pictures as training goes on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from translate.data.domain import Array
from translate.data.picture import to_eight_bits

#: Pictures are shown at least this high and wide.
LEAST = 128
GAP, HEADER, PAPER, INK = 6, 26, "white", "#333333"

#: A column: its title and one picture a row, ``(H, W, C)`` of 8 bits each; None leaves the cell empty.
Column = tuple[str, Sequence[Array | None]]


def draw_grid(blocks: Sequence[Sequence[Column]], least: int = LEAST) -> Image.Image:
    """Blocks of titled columns, side by side; rows of a block belong together. Pictures are shown at least ``least`` pixels a side."""
    height, width = next(cell.shape[:2] for block in blocks for _, cells in block for cell in cells if cell is not None)
    factor = max(1, -(-least // min(height, width)))
    height, width = height * factor, width * factor
    rows = max(len(cells) for block in blocks for _, cells in block)
    columns = sum(len(block) for block in blocks)
    sheet = Image.new(
        "RGB", (columns * (width + GAP) + (len(blocks) - 1) * 3 * GAP + GAP, HEADER + rows * (height + GAP) + GAP), PAPER
    )
    canvas = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=14)
    left = GAP
    for block in blocks:
        for title, cells in block:
            canvas.text((left + 2, 6), title, fill=INK, font=font)
            for row, cell in enumerate(cells):
                if cell is not None:
                    shown = Image.fromarray(_shown(cell)).resize((width, height), Image.Resampling.LANCZOS)
                    sheet.paste(shown, (left, HEADER + row * (height + GAP)))
            left += width + GAP
        left += 3 * GAP
    return sheet


def in_columns(title: str, cells: Sequence[Array], rows: int) -> list[Column]:
    """``cells`` in columns of ``rows``, the title over the first; read along the rows they are in order."""
    across = -(-len(cells) // rows)
    return [(title if column == 0 else "", cells[column::across]) for column in range(across)]


def draw_points(made: Array, real: Array | None = None, side: int = 640) -> Image.Image:
    """Points ``(n, D)`` by their first two coordinates: real ones in grey, and those that were made over them in red."""
    given = [made] if real is None else [real, made]
    shown = [np.asarray(points, dtype=np.float64)[:, [0, min(1, points.shape[1] - 1)]] for points in given]
    reach = 1.15 * max(float(np.abs(shown[0]).max()), 1e-9)
    sheet = Image.new("RGB", (side, side + HEADER), PAPER)
    canvas = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=14)
    colours = [("made", "#c0392b")] if real is None else [("real", "#aaaaaa"), ("made", "#c0392b")]
    for place, (points, (name, colour)) in enumerate(zip(shown, colours, strict=True)):
        canvas.text((GAP + 40 * place, 6), name, fill=colour, font=font)
        for x, y in (points * [1, -1] / reach + 1) * side / 2:
            canvas.ellipse((x - 1.5, y + HEADER - 1.5, x + 1.5, y + HEADER + 1.5), fill=colour)
    return sheet


def _shown(array: Array) -> NDArray[np.uint8]:
    """``(H, W, C)`` as RGB: one or two channels as the first one in grey, more as the first three."""
    shown = to_eight_bits(array)
    return np.repeat(shown[..., :1], 3, axis=2) if shown.shape[2] < 3 else shown[..., :3]
