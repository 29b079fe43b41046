"""What other annotation tools ask of the model, in the lanes of the device like everything else."""

import hashlib
from collections import defaultdict
from io import BytesIO
from typing import Any

import numpy as np

import masklet
from masklet.masks.segmentation import Segmentation
from masklet.media.images import Pixels, read_image
from masklet.predictors.encoded_frame import EncodedFrame
from masklet.predictors.image_segmenter import EncodedImage
from masklet.predictors.tracked_video import TrackedVideo
from masklet.prompts.prompt import Prompt
from masklet.runtimes.protocol import ImageFeatures
from masklet.server.adapters import label_studio, nuclio
from masklet.server.adapters.foreign_media import LabelStudioMedia
from masklet.server.fairness import Urgency
from masklet.server.open_items import Model

MODEL_VERSION = f"masklet-{masklet.__version__}"


class _CountedStreams:
    """Streams of the model, whose work counts as the device's."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def encode(self, image: Pixels) -> EncodedFrame:
        self._model.device.count("encode")
        return self._model.tracker.encode(image)

    def open(self) -> TrackedVideo:
        return self._model.tracker.open()


class ForeignRequests:
    """Answers of the model to other tools; an image is encoded once, as long as its features are kept.

    Args:
        model: with its device.
        media: fetches the images of Label Studio.
    """

    def __init__(self, model: Model, media: LabelStudioMedia) -> None:
        self._model, self._media = model, media
        self._trackers: defaultdict[str, nuclio.NuclioTracker] = defaultdict(
            lambda: nuclio.NuclioTracker(_CountedStreams(model))
        )

    def predict(self, user: str, body: object) -> dict[str, Any]:
        """Return the answer to Label Studio's `predict`; errors as `label_studio.predict` and the media raise them."""

        def segment(address: str, prompt: Prompt) -> Segmentation:
            return self._segment(user, np.array(read_image(BytesIO(self._media.read(address)))), prompt)

        return label_studio.predict(body, MODEL_VERSION, segment)

    def invoke(self, user: str, body: object) -> dict[str, Any]:
        """Return the answer of CVAT's serverless function, the tracker's to shapes or states, or the interactor's."""
        if isinstance(body, dict) and ("shapes" in body or "states" in body):
            steps = self._model.device.steps
            return steps.run(user, Urgency.PERSON, lambda: self._trackers[user].track(body))
        return nuclio.interact(body, lambda pixels, prompt: self._segment(user, pixels, prompt))

    def _segment(self, user: str, pixels: Pixels, prompt: Prompt) -> Segmentation:
        model, size = self._model, pixels.shape[:2]
        key = f"foreign {size} {hashlib.sha256(pixels.tobytes()).hexdigest()}", 0, None

        def encode() -> ImageFeatures:
            return model.features.get(key, lambda: model.answers.encode(pixels).embeddings)

        def decode() -> Segmentation:
            model.device.count("decode")
            return model.answers.answer(EncodedImage(features, *size), prompt)

        features = model.device.answers.run(user, Urgency.PERSON, encode)
        return model.device.answers.run(user, Urgency.PERSON, decode)
