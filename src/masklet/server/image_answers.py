"""Answers on one frame alone, without any state: images, previews and what is shown until a session answers."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from masklet.masks.segmentation import Segmentation
from masklet.media.images import Pixels
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.prompts.prompt import Prompt
from masklet.server.packets import Entry, PackedMask, State

_MOST_LOGITS = 1024  # 36 KiB each with the bundled model
Logits = npt.NDArray[np.floating[Any]]


class ImageAnswers:
    """Decodes prompts on the features of a frame; remembers the logits of answers, which the next click refines.

    Args:
        segmenter: the model.
    """

    def __init__(self, segmenter: ImageSegmenter) -> None:
        self._segmenter = segmenter
        self._lock = Lock()
        self._logits: OrderedDict[int, Logits] = OrderedDict()

    def encode(self, pixels: Pixels) -> EncodedImage:
        """Return an image that is no frame of an item, encoded."""
        return self._segmenter.encode(pixels)

    def answer(self, encoded: EncodedImage, prompt: Prompt, refined: int | None = None) -> Segmentation:
        """Return the mask of a prompt; `refined` is the run whose mask it corrects, where that is known."""
        with self._lock:
            logits = None if refined is None or prompt.mask is not None else self._logits.get(refined)
        refining = prompt if logits is None else prompt.with_mask(logits)
        return self._segmenter.segment(encoded, prompts=[refining])

    def remember(self, run: int, answer: Segmentation) -> None:
        """Keep the logits of the answer that was stored as a run."""
        assert answer.low_resolution_logits is not None
        with self._lock:
            self._logits[run] = answer.low_resolution_logits[0]
            while len(self._logits) > _MOST_LOGITS:
                self._logits.popitem(last=False)

    def candidates(self, encoded: EncodedImage, prompt: Prompt) -> Segmentation:
        """Return three readings of a prompt, best first."""
        return self._segmenter.candidates(encoded, prompts=[prompt])[0]


def entries_of(found: Segmentation, objects: Sequence[int], state: State, presence: float = 0.0) -> list[Entry]:
    """Return the masks of a result as entries of the objects; with one object they are its candidates."""
    numbers = objects if len(objects) == len(found) else [objects[0]] * len(found)
    return [
        Entry(
            number,
            PackedMask.of(found.mask(place), found.boxes[place]),
            float(found.scores[place]),
            presence,
            state=state,
            candidate=place if len(objects) < len(found) else 0,
        )
        for place, number in enumerate(numbers)
    ]
