"""Diagrams of curves as images."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from masklet.errors import InvalidInputError
from masklet.evaluation.reporting.report import Curve, Level
from masklet.media.colours import object_colour

WIDTH, HEIGHT = 900, 540
LEFT, TOP, RIGHT, BOTTOM = 70, 50, WIDTH - 30, HEIGHT - 70
TEXT, GRID = (40, 40, 40), (225, 225, 225)
DARKEST, MOST_TICKS = (0, 0, 0), 10
LINE = 22  # pixels from one line of text to the next


def draw_curves(curves: Sequence[Curve | Level], *, title: str, x_label: str, y_label: str) -> Image.Image:
    """Return a diagram of `curves` with a legend below: y from 0 to 100 %, x over what the curves span.

    A level crosses all of it, and the points of a curve are marked. InvalidInputError if there are none.
    """
    if not curves:
        raise InvalidInputError("A diagram needs at least one curve.")
    diagram = Image.new("RGB", (WIDTH, HEIGHT + LINE * len(curves)), "white")
    draw, font = ImageDraw.Draw(diagram), ImageFont.load_default(size=15)
    ticks = sorted({x for curve in curves if isinstance(curve, Curve) for x in curve.x})
    low = min(ticks, default=0)
    high = max([*ticks, low + 1])

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (x - low) / (high - low) * (RIGHT - LEFT), BOTTOM - y * (BOTTOM - TOP)

    for tenth in range(0, 11, 2):
        _, height = place(low, tenth / 10)
        draw.line((LEFT, height, RIGHT, height), fill=GRID)
        draw.text((LEFT - 8, height), str(10 * tenth), fill=TEXT, font=font, anchor="rm")
    for x in ticks[:: max(1, -(-len(ticks) // MOST_TICKS))]:
        across, _ = place(x, 0)
        draw.line((across, BOTTOM, across, BOTTOM + 5), fill=TEXT)
        draw.text((across, BOTTOM + 9), f"{x:g}", fill=TEXT, font=font, anchor="mt")
    draw.text((WIDTH / 2, 16), title, fill=DARKEST, font=font, anchor="mt")
    draw.text(((LEFT + RIGHT) / 2, HEIGHT - 22), x_label, fill=TEXT, font=font, anchor="mm")
    draw.text((8, TOP - 24), y_label, fill=TEXT, font=font)
    for number, curve in enumerate(curves):
        colour = object_colour(number + 1)
        if isinstance(curve, Level):
            points = [place(low, curve.y), place(high, curve.y)]
        else:
            points = [place(*point) for point in zip(curve.x, curve.y, strict=True)]
            for point in points:
                draw.circle(point, 4, fill=colour)
        draw.line(points, fill=colour, width=3, joint="curve")
        height = HEIGHT + LINE * number + 2
        draw.line((LEFT, height, LEFT + 30, height), fill=colour, width=3)
        draw.text((LEFT + 38, height), curve.label, fill=TEXT, font=font, anchor="lm")
    return diagram
