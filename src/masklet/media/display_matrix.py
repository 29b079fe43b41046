"""The way a video stands: cameras record it as the sensor lies and write beside it how to turn it."""

from typing import Any

import av
import numpy as np
import numpy.typing as npt

from masklet.media.images import Pixels

Matrix = npt.NDArray[np.int32]


def display_matrix(frame: av.VideoFrame) -> Matrix | None:
    """Return the display matrix [3, 3] that comes with a frame, None if it is upright as it is.

    Ask once a video, of the first frame: a frame that was asked is freed by Python's garbage collector only.
    """
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    return None if matrix is None else np.frombuffer(bytes(matrix), dtype=np.int32).reshape(3, 3)


def upright_pixels(frame: av.VideoFrame, matrix: Matrix | None) -> Pixels:
    """Return a decoded frame of any pixel format as 8-bit RGB [H, W, 3], turned as its display matrix says.

    Pixels that are not square stay as they are stored.
    """
    pixels: Pixels = np.asarray(frame.to_ndarray(format="rgb24"))
    return pixels if matrix is None else turned(pixels, matrix)


def turned(pixels: Pixels, matrix: Matrix) -> Pixels:
    """Return `pixels` [H, W, 3] turned by quarters and mirrored as `matrix` [3, 3] says, contiguous in memory.

    The matrix is FFmpeg's: a pixel at (x, y) is to be shown at (a x + c y, b x + d y), where its first rows are
    (a, b, .) and (c, d, .). Angles between the quarters are taken as the nearest quarter.
    """
    (a, b), (c, d) = matrix[:2, :2].tolist()
    is_on_its_side = abs(a) < abs(b)
    towards_x, towards_y = (c, b) if is_on_its_side else (a, d)
    if is_on_its_side:
        pixels = pixels.swapaxes(0, 1)
    return np.ascontiguousarray(pixels[:: -1 if towards_y < 0 else 1, :: -1 if towards_x < 0 else 1])
