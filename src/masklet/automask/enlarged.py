"""Masks at the size of their image without an enlarged image: where columns cross the threshold.

A mask is where logits [h, w], enlarged bilinearly to an image, are above a threshold. Along a column of the image the
enlarged logits are straight lines from one of the h rows to the next, each of which crosses the threshold once at most,
at a place that is computed. So logits are enlarged across only, h instead of H rows, and only in the box of what is
above the threshold, grown by a cell; runs of pixels, their number and their box follow from the crossings. The pixels
are those of `torch.nn.functional.interpolate`, up to rounding. Logits that look like noise cross the threshold so often
that comparing pixels is quicker: those are enlarged after all.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Size = tuple[int, int]

_BELOW = np.float32(-1e30)  # all thresholds
_ROUNDING = 2.0**-20  # of places in float32, in shares of the axis
_CROSSINGS_TOGETHER = 2**14  # larger arrays would come from the system, page by page
_PIXELS_A_CROSSING = 16  # take the same time
_MOST_PIXELS = 2**22  # of a mask that is held enlarged: 16 MiB


class Runs(NamedTuple):
    """The pixels of a mask, as runs along the columns of its image, one after the other; none is empty.

    Attributes:
        columns: which column each lies in [R].
        starts: the first row [R].
        ends: the row behind the last [R].
    """

    columns: Integers
    starts: Integers
    ends: Integers

    @classmethod
    def none(cls) -> "Runs":
        """Return those of an empty mask."""
        return cls(*(np.zeros(0, dtype=np.int64) for _ in range(3)))

    @property
    def area(self) -> int:
        """The number of pixels."""
        return int((self.ends - self.starts).sum())

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """The box (x1, y1, x2, y2) along pixel edges, or None without pixels."""
        if not self.columns.size:
            return None
        return int(self.columns[0]), int(self.starts.min()), int(self.columns[-1]) + 1, int(self.ends.max())


class _Places(NamedTuple):
    """Where the pixels of an enlarged axis lie on the axis as it was: as torch computes it, in float32.

    Attributes:
        exact: float32 [to], rising.
        before: the cell at or before each [to].
        behind: the next cell [to], where there is one.
        weight: of the cell behind, 0..1, float32 [to].
        scale: how many cells a pixel is.
    """

    exact: Floats
    before: Integers
    behind: Integers
    weight: Floats
    scale: float

    @classmethod
    def of(cls, size: int, enlarged: int) -> "_Places":
        scale = np.float32(size) / np.float32(enlarged)
        exact = np.maximum(scale * (np.arange(enlarged, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5), 0)
        before = np.minimum(exact.astype(np.int64), size - 1)
        weight = np.minimum(exact - before, 1).astype(np.float32)
        return cls(exact, before, np.minimum(before + 1, size - 1), weight, size / enlarged)

    def first_behind(self, places: npt.NDArray[np.float64], side: Literal["left", "right"]) -> Integers:
        """Return what `np.searchsorted(exact, places, side)` does [n], which is asked only where rounding decides."""
        pixels = (places + 0.5) / self.scale - 0.5
        found = np.ceil(pixels)
        doubtful = np.flatnonzero(np.abs(found - pixels - 0.5) > 0.5 - len(self.exact) * _ROUNDING)
        found[doubtful] = np.searchsorted(self.exact, places[doubtful], side)
        return found.clip(0, len(self.exact)).astype(np.int64)


class Columns(Protocol):
    """Columns of an image, in which thresholds are looked for."""

    def runs_above(self, threshold: float) -> Runs:
        """Return the pixels above a threshold, which is at least the one that the columns were made for."""
        ...

    def area_above(self, threshold: float) -> int:
        """Return the area of `runs_above`, which takes fewer steps."""
        ...


class Enlargement:
    """How masks of h x w logits are enlarged to an image, or a crop of it, of H x W pixels.

    Args:
        size: (h, w).
        enlarged: (H, W).
    """

    def __init__(self, size: Size, enlarged: Size) -> None:
        self._size = enlarged
        self._rows, self._columns = (_Places.of(*pair) for pair in zip(size, enlarged, strict=True))

    def columns_of(self, logits_hw: Floats, least: float) -> Columns | None:
        """Return the columns of the image that logits float32 [h, w] reach `least` in, None if there are none."""
        is_above = logits_hw > least
        if self._pays_pixel_by_pixel(is_above):
            return _EnlargedColumns.of(logits_hw, self._size)
        rows, columns = np.flatnonzero(is_above.any(axis=1)), np.flatnonzero(is_above.any(axis=0))
        if not rows.size:
            return None
        places = self._columns
        first = int(np.searchsorted(places.behind, columns[0]))
        end = int(np.searchsorted(places.before, columns[-1], side="right"))
        top, bottom = max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, len(logits_hw))
        part = np.full((logits_hw.shape[1], bottom - top + 2), _BELOW, dtype=np.float32)
        part[:, 1:-1] = logits_hw[top:bottom].T
        weight = places.weight[first:end, None]
        values = part[places.before[first:end]]
        values *= 1 - weight
        behind = part[places.behind[first:end]]
        behind *= weight
        values += behind
        return _CrossedColumns(values, first, top, self._rows)

    def _pays_pixel_by_pixel(self, is_above: npt.NDArray[np.bool_]) -> bool:
        height, width = self._size
        crossings = np.count_nonzero(is_above[1:] != is_above[:-1]) * width / is_above.shape[1]
        return height * width <= min(crossings * _PIXELS_A_CROSSING, _MOST_PIXELS)


class _EnlargedColumns:
    """Columns of an image, pixel by pixel [W, H]."""

    def __init__(self, values: Floats) -> None:
        self._values = values

    @classmethod
    def of(cls, logits_hw: Floats, size: Size) -> "_EnlargedColumns":
        """Enlarge logits float32 [h, w] to (H, W)."""
        columns = torch.from_numpy(np.ascontiguousarray(logits_hw.T))[None, None]
        return cls(F.interpolate(columns, size[::-1], mode="bilinear", align_corners=False)[0, 0].numpy())

    def runs_above(self, threshold: float) -> Runs:
        """Return the pixels above a threshold."""
        width, height = self._values.shape
        flat = np.zeros(1 + width * (height + 1), dtype=bool)  # no run goes on in the next column
        columns = flat[1:].reshape(width, height + 1)
        np.greater(self._values, threshold, out=columns[:, :-1])
        changes = np.flatnonzero(flat[1:] != flat[:-1])
        of_run = changes[::2] // (height + 1)
        return Runs(of_run, *(each - of_run * (height + 1) for each in (changes[::2], changes[1::2])))

    def area_above(self, threshold: float) -> int:
        """Return the area of `runs_above`."""
        return int(np.count_nonzero(self._values > threshold))


class _CrossedColumns:
    """Columns of an image whose rows are not enlarged yet, with a value below all thresholds at either end."""

    def __init__(self, values: Floats, first: int, top: int, rows: _Places) -> None:
        self._values = values
        self._first = first
        self._top = top
        self._rows = rows

    def runs_above(self, threshold: float) -> Runs:
        """Return the pixels above a threshold."""
        parts = [self._runs(*crossings) for crossings in self._crossings(threshold)]
        return parts[0] if len(parts) == 1 else Runs(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def area_above(self, threshold: float) -> int:
        """Return the area of `runs_above`."""
        return sum(int(np.maximum(ends - starts, 0).sum()) for _, starts, ends in self._crossings(threshold))

    def _runs(self, changes: Integers, starts: Integers, ends: Integers) -> Runs:
        is_some = ends > starts
        columns = changes[::2][is_some] // self._values.shape[1]
        return Runs(columns + self._first, starts[is_some], ends[is_some])

    def _crossings(self, threshold: float) -> Iterator[tuple[Integers, Integers, Integers]]:
        """Yield, some at a time, values of which the next one lies on the other side, and the runs between them.

        The values are given by their places, in turn before what is above and within; the runs by the first rows and
        the rows behind the last. They may be empty.
        """
        is_above = self._values.ravel() > threshold
        changes = np.flatnonzero(is_above[1:] != is_above[:-1])  # in turn into and out of what is above, by columns
        for start in range(0, max(len(changes), 1), _CROSSINGS_TOGETHER):
            part = changes[start : start + _CROSSINGS_TOGETHER]
            yield part, *self._rows_of(part, threshold)

    def _rows_of(self, changes: Integers, threshold: float) -> tuple[Integers, Integers]:
        flat, height = self._values.ravel(), self._values.shape[1]
        rows = changes - changes // height * height  # 0: at the upper end; height - 2: at the lower one
        before = flat.take(changes)
        places = (threshold - before) / (flat[1:].take(changes) - before) + (rows + (self._top - 1.0))
        starts = self._rows.first_behind(places[::2], "right")
        ends = self._rows.first_behind(places[1::2], "left")
        starts[rows[::2] == 0] = 0
        ends[rows[1::2] == height - 2] = len(self._rows.exact)
        return starts, ends
