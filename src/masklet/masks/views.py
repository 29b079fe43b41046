"""Parts of an image that are looked at on their own."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Values = TypeVar("Values", bound=Any)  # an array or a tensor


@dataclass(frozen=True)
class View:
    """A part of an image, in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Its height and width, in pixels."""
        return self.bottom - self.top, self.right - self.left

    def of(self, values: Values) -> Values:
        """Return what it shows of an array or tensor [..., H, W]; not a copy."""
        return values[..., self.top : self.bottom, self.left : self.right]

    def shows(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
        """Return which of points [n, 2] lie in it or on its edges, bool [n]."""
        return np.asarray(((points >= (self.left, self.top)) & (points <= (self.right, self.bottom))).all(-1))

    def places(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Return points [n, 2] of the image in its own pixels."""
        return points - np.array([self.left, self.top], points.dtype)
