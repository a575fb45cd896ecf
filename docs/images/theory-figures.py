"""Draws the two figures of docs/explanation/theory.md beside itself: python docs/images/theory-figures.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import nn

from translate import Clock
from translate_losses.games import Minimax

FINE = 3  # drawn three times as large, then reduced: smooth lines
GREY, BLUE, ORANGE, GREEN, BLACK = "#b0b0b0", "#2166ac", "#d6604d", "#1b7837", "#202020"


class Panel:
    """A box of a picture with its own coordinates; y goes up."""

    def __init__(self, draw, box, x, y):
        self.draw, self.box, self.x, self.y = draw, [FINE * each for each in box], x, y

    def at(self, x, y):
        """Where a point lies on the picture."""
        left, top, right, bottom = self.box
        return (
            left + (x - self.x[0]) / (self.x[1] - self.x[0]) * (right - left),
            bottom - (y - self.y[0]) / (self.y[1] - self.y[0]) * (bottom - top),
        )

    def line(self, xs, ys, colour, width=2.0):
        """Join the points."""
        self.draw.line([self.at(*point) for point in zip(xs, ys, strict=True)], colour, round(width * FINE), joint="curve")

    def dot(self, x, y, colour, radius=3.5):
        """Mark a point."""
        x, y = self.at(x, y)
        radius *= FINE
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)

    def text(self, x, y, words, colour=BLACK, size=15, anchor="lm"):
        """Write beside a point."""
        self.draw.text(self.at(x, y), words, colour, ImageFont.load_default(size * FINE), anchor=anchor)


def canvas(width, height):
    """An empty picture, enlarged."""
    image = Image.new("RGB", (FINE * width, FINE * height), "white")
    return image, ImageDraw.Draw(image)


def save(image, name):
    """Reduce a picture to its size and write it."""
    size = image.width // FINE, image.height // FINE
    image.resize(size, Image.Resampling.LANCZOS).quantize(128).save(Path(__file__).parent / name, optimize=True)


def orbits(eta=0.1, steps=150):
    """x·y from (1, 1) under six kinds of steps; green is the mean of what was played."""
    spin = np.array([[0.0, 1], [-1, 0]])
    turn = np.eye(2) - eta * spin
    alternating = np.array([[1, -eta], [eta, 1 - eta**2]])
    kinds = {
        "simultaneous": lambda z, last: turn @ z,
        "alternating": lambda z, last: alternating @ z,
        "extragradient": lambda z, last: z - eta * spin @ turn @ z,
        "optimistic": lambda z, last: z - 2 * eta * spin @ z + eta * spin @ last,
        "gradient penalty 0.5": lambda z, last: turn @ z - eta * np.array([0, 0.5 * z[1]]),
        "consensus 0.5": lambda z, last: turn @ z - eta * 0.5 * z,
    }
    image, draw = canvas(780, 540)
    for number, (name, step) in enumerate(kinds.items()):
        left, top = 260 * (number % 3), 270 * (number // 3)
        panel = Panel(draw, (left + 10, top + 28, left + 250, top + 268), (-3.1, 3.1), (-3.1, 3.1))
        panel.line((-3, 3), (0, 0), GREY, 1)
        panel.line((0, 0), (-3, 3), GREY, 1)
        path = [np.ones(2)] * 2
        for _ in range(steps):
            path.append(step(path[-1], path[-2]))
        path = np.array(path[1:])
        panel.line(*path.T, ORANGE if number == 0 else BLUE)
        if number == 1:
            panel.line(*(np.cumsum(path, axis=0) / np.arange(1, len(path) + 1)[:, None]).T, GREEN)
            panel.text(0.25, -2.6, "green: the mean so far", GREEN, 13)
        panel.dot(1, 1, BLACK)
        panel.dot(*path[-1], ORANGE if number == 0 else BLUE)
        panel.text(0, 3.4, name, anchor="mm")
    save(image, "theory-orbits.png")


def normal(x, mean, deviation):
    """The density of a normal distribution."""
    return np.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))


def discriminator(steps=250, batch=2048):
    """The best judge of two densities, and one that the library's game taught."""
    torch.manual_seed(0)
    judge = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(judge.parameters())
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.03 * (1 - step / steps)
        left = torch.rand(batch, 1) < 0.5
        real = torch.where(left, -2 + 0.5 * torch.randn(batch, 1), 1 + torch.randn(batch, 1))
        optimizer.zero_grad()
        sum(Minimax().discriminator(judge, real, 1.5 * torch.randn(batch, 1), Clock(step, steps)).values()).backward()
        optimizer.step()
    x = np.linspace(-5, 5, 501)
    data, fake = normal(x, -2, 0.5) / 2 + normal(x, 1, 1) / 2, normal(x, 0, 1.5)
    with torch.no_grad():
        answer = torch.sigmoid(judge(torch.from_numpy(x).float()[:, None]))[:, 0].numpy()
    image, draw = canvas(780, 330)
    panel = Panel(draw, (40, 15, 600, 300), (-5, 5), (0, 1))
    for height in (0, 0.5, 1):
        panel.line((-5, 5), (height, height), GREY, 1)
        panel.text(-5.15, height, f"{height:g}", size=13, anchor="rm")
    for place in range(-4, 5, 2):
        panel.text(place, -0.05, str(place), size=13, anchor="mm")
    for height, (words, ys, colour, width) in zip(
        (0.95, 0.85, 0.7, 0.6),
        (
            ("D*, computed", data / (data + fake), GREY, 6),
            ("D, trained", answer, BLACK, 2),
            ("data", data, BLUE, 2),
            ("generator", fake, ORANGE, 2),
        ),
        strict=True,
    ):
        panel.line(x, ys, colour, width)
        panel.line((5.3, 5.8), (height, height), colour, width)
        panel.text(5.95, height, words)
    save(image, "theory-discriminator.png")


orbits()
discriminator()
