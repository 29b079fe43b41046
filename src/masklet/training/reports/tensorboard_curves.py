"""Metrics and predictions of a training run for TensorBoard."""

from collections.abc import Mapping

import numpy as np

from masklet.errors import InvalidInputError
from masklet.media.images import read_image
from masklet.modeling.video_network import VideoNetwork
from masklet.training.reports.predictions import prediction_images
from masklet.training.run.observer import RunOutline

CURVES_FOLDER = "curves"


class TensorBoardCurves:
    """Writes `curves/` (`tensorboard --logdir RUN`). Called after `Predictions`, whose newest image it shows.

    Raises:
        InvalidInputError: at once, if TensorBoard is not installed.
    """

    def __init__(self) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise InvalidInputError(
                "Training writes its curves by TensorBoard, which is missing: pip install 'masklet[train]'."
            ) from error
        self._writer_class = SummaryWriter

    def began(self, run: RunOutline) -> None:
        """Drop the points of steps that the run makes again."""
        self._folder = run.folder
        self._writer = self._writer_class(str(run.folder / CURVES_FOLDER), purge_step=run.first_step + 1)

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to every curve."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Add the newest predictions, and write everything to disk."""
        for path in prediction_images(self._folder)[-1:]:
            self._writer.add_image("predictions", np.array(read_image(path)), step, dataformats="HWC")
        self._writer.flush()

    def finished(self) -> None:
        """Close the file."""
        self._writer.close()
