"""Baselines without learning that segment by clicks or a box: an ellipse, and GrabCut."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Mask
from masklet.prompts.simulated_annotator import Click


class InscribedEllipse:
    """The ellipse inscribed in the box: a baseline independent of the image."""

    name = "ellipse"

    def open(self, image: npt.NDArray[np.uint8]) -> None:
        """Keep the size of `image` (uint8 [H, W, 3]); its content is not used."""
        self._height, self._width = image.shape[:2]

    def predict(
        self,
        *,
        clicks: Sequence[Sequence[Click]] | None = None,
        boxes: npt.NDArray[np.floating] | None = None,
        use_previous: bool = False,
    ) -> Mask:
        """Return the pixels (bool [N, H, W]) whose centres lie in the ellipses of `boxes`; clicks are an error."""
        if boxes is None or clicks is not None:
            raise InvalidInputError("The inscribed ellipse takes boxes only, no clicks.")
        return np.stack([self._ellipse(*(float(edge) for edge in box)) for box in boxes])

    def _ellipse(self, left: float, top: float, right: float, bottom: float) -> Mask:
        x = (np.arange(self._width) + 0.5 - (left + right) / 2) / ((right - left) / 2)
        y = (np.arange(self._height) + 0.5 - (top + bottom) / 2) / ((bottom - top) / 2)
        return np.asarray(x[None, :] ** 2 + y[:, None] ** 2 <= 1)


class GrabCut:
    """OpenCV's GrabCut (Rother et al., 2004): colour models of object and background, refined by graph cuts.

    Three iterations on the image scaled to a longer side of 400 pixels. Clicks: a disc around the first click, 15 %
    of the shorter side across, is probably object and everything else surely background; discs with a radius of 2 %
    around all clicks are certain. Boxes: everything outside is certainly background. Each prediction starts afresh.
    """

    name = "GrabCut"
    longer_side = 400
    iterations = 3
    probable_radius = 0.075
    sure_radius = 0.02

    def open(self, image: npt.NDArray[np.uint8]) -> None:
        """Scale `image` (RGB, uint8 [H, W, 3])."""
        self._size = (image.shape[1], image.shape[0])
        self._scale = self.longer_side / max(self._size)
        scaled_size = [max(1, round(side * self._scale)) for side in self._size]
        self._scaled = cv2.resize(image, scaled_size, interpolation=cv2.INTER_AREA)

    def predict(
        self,
        *,
        clicks: Sequence[Sequence[Click]] | None = None,
        boxes: npt.NDArray[np.floating] | None = None,
        use_previous: bool = False,
    ) -> Mask:
        """Return the masks (bool [N, H, W]) of the objects given by `clicks` or by `boxes` (float [N, 4], pixels)."""
        if (clicks is None) == (boxes is None):
            raise InvalidInputError("GrabCut takes either clicks or boxes.")
        if clicks is not None:
            starts = [self._start_from_clicks(clicks_of_object) for clicks_of_object in clicks]
        else:
            starts = [self._start_from_box(box) for box in np.asarray(boxes)]
        return np.stack([self._cut(start) for start in starts])

    def _start_from_clicks(self, clicks: Sequence[Click]) -> npt.NDArray[np.uint8]:
        start = np.full(self._scaled.shape[:2], cv2.GC_BGD, dtype=np.uint8)
        self._draw_disc(start, clicks[0], self.probable_radius, cv2.GC_PR_FGD)
        for click in clicks:
            self._draw_disc(start, click, self.sure_radius, cv2.GC_FGD if click.label else cv2.GC_BGD)
        return start

    def _draw_disc(self, start: npt.NDArray[np.uint8], click: Click, radius: float, value: int) -> None:
        centre = (int(click.x * self._scale), int(click.y * self._scale))
        cv2.circle(start, centre, max(1, round(radius * min(start.shape))), value, thickness=-1)

    def _start_from_box(self, box: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
        start = np.full(self._scaled.shape[:2], cv2.GC_BGD, dtype=np.uint8)
        left, top, right, bottom = (round(float(edge) * self._scale) for edge in box)
        start[top : max(bottom, top + 1), left : max(right, left + 1)] = cv2.GC_PR_FGD
        return start

    def _cut(self, start: npt.NDArray[np.uint8]) -> Mask:
        labels = start.copy()
        foreground = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
        if foreground.any() and not foreground.all():  # else one of both has nothing to learn its colours from
            cv2.setRNGSeed(0)  # GrabCut starts from a random clustering
            colours_outside, colours_inside = np.zeros((2, 1, 65))
            rectangle = (0, 0, 0, 0)  # not used: the labels are given
            cv2.grabCut(
                self._scaled, labels, rectangle, colours_outside, colours_inside, self.iterations, cv2.GC_INIT_WITH_MASK
            )
            foreground = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
        return cv2.resize(foreground.astype(np.uint8), self._size, interpolation=cv2.INTER_NEAREST).astype(bool)
