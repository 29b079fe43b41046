"""The way a video stands: cameras record it as the sensor lies and write beside it how to turn it."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
import av.filter
import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import Type as SideDataKind

from masklet.media.images import Pixels

Matrix = npt.NDArray[np.int32]

MOST_KINDS = 64  # FFmpeg 8.1 knows 34 kinds of side data, and gets one or two more a year


def display_matrix(frame: av.VideoFrame) -> Matrix | None:
    """Return the display matrix [3, 3] that comes with a frame, None if it is upright as it is.

    Ask once a video, of the first frame: a frame that was asked is freed by Python's garbage collector only.
    """
    try:
        matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # one kind that PyAV has no name for hides all of them
        matrix = _with_named_side_data(frame).side_data.get("DISPLAYMATRIX")
    return None if matrix is None else np.frombuffer(bytes(matrix), dtype=np.int32).reshape(3, 3)


def _with_named_side_data(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the frame without the kinds of side data that FFmpeg knows and PyAV does not: EXIF, views, ..."""
    unnamed = {*range(MOST_KINDS)}.difference(kind.value for kind in SideDataKind)
    graph = av.filter.Graph()
    steps = [
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1)),
        *(graph.add("sidedata", f"mode=delete:type={kind}") for kind in unnamed),
        graph.add("buffersink"),
    ]
    for before, after in pairwise(steps):
        before.link_to(after)
    graph.configure()
    graph.push(frame)
    named = graph.pull()
    assert isinstance(named, av.VideoFrame)
    return named


def upright(pixels: Pixels, matrix: Matrix | None) -> Pixels:
    """Return `pixels` [H, W, 3] turned by the display matrix, if there is one.

    Pixels that are not square stay as they are stored.
    """
    return pixels if matrix is None else turned(pixels, matrix)


def turned(pixels: Pixels, matrix: Matrix) -> Pixels:
    """Return `pixels` [H, W, 3] turned by quarters and mirrored by `matrix` [3, 3], contiguous in memory.

    The matrix is FFmpeg's: a pixel at (x, y) is to be shown at (a x + c y, b x + d y), where its first rows are
    (a, b, .) and (c, d, .). Angles between the quarters are taken as the nearest quarter.
    """
    (a, b), (c, d) = matrix[:2, :2].tolist()
    towards_x, towards_y = (c, b) if is_on_its_side(matrix) else (a, d)
    if is_on_its_side(matrix):
        pixels = pixels.swapaxes(0, 1)
    return np.ascontiguousarray(pixels[:: -1 if towards_y < 0 else 1, :: -1 if towards_x < 0 else 1])


def is_on_its_side(matrix: Matrix | None) -> bool:
    """Whether a display matrix, if there is one, makes rows of columns."""
    return matrix is not None and abs(int(matrix[0, 0])) < abs(int(matrix[0, 1]))
