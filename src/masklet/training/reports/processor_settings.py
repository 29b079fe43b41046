"""Processor settings beside the weights, so that every command and class takes the folder as a model."""

from collections.abc import Mapping

from masklet.modeling.video_network import VideoNetwork
from masklet.processing.image_processor import Sam2ImageProcessorFast
from masklet.processing.processor import Sam2Processor
from masklet.training.run.observer import RunOutline
from masklet.training.run.run_state import AVERAGE_FOLDER


class ProcessorSettings:
    """Writes `average/processor_config.json` for the size that the model was trained at last."""

    def began(self, run: RunOutline) -> None:
        """Keep the folder."""
        self._folder = run.folder / AVERAGE_FOLDER

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Do nothing: settings come with the weights."""

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Write the settings."""
        side = ema_network.config.image_size
        Sam2Processor(Sam2ImageProcessorFast(size={"height": side, "width": side})).save_pretrained(self._folder)

    def finished(self) -> None:
        """Do nothing more."""
