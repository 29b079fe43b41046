"""The curves and the pictures of a run for TensorBoard."""

from collections.abc import Mapping

import numpy as np

from masklet.errors import InvalidInputError
from masklet.media.images import read_image
from masklet.modeling.video_network import VideoNetwork
from masklet.training.reports.predictions import pictures_of
from masklet.training.run.observer import RunOutline

CURVES_FOLDER = "curves"


class TensorBoardCurves:
    """Writes `curves/` (`tensorboard --logdir RUN`). To be told after `Predictions`, whose newest picture it shows.

    InvalidInputError at once if TensorBoard is not installed.
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
        """Drop what was drawn of steps that the run makes again."""
        self._folder = run.folder
        self._writer = self._writer_class(str(run.folder / CURVES_FOLDER), purge_step=run.first_step + 1)

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """One point of every curve."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """The newest picture, and everything on disk."""
        for path in pictures_of(self._folder)[-1:]:
            self._writer.add_image("predictions", np.array(read_image(path)), step, dataformats="HWC")
        self._writer.flush()

    def finished(self) -> None:
        """Close the file."""
        self._writer.close()
