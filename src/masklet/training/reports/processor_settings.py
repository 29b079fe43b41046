"""Processor settings beside the weights, so that every command and class takes the folder as a model."""

from collections.abc import Mapping

from masklet.modeling.video_network import VideoNetwork
from masklet.processing.image_processor import Sam2ImageProcessorFast
from masklet.processing.processor import Sam2Processor
from masklet.processing.saved_settings import automatic_mask_options
from masklet.training.run.observer import RunOutline
from masklet.training.run.run_state import AVERAGE_FOLDER


class ProcessorSettings:
    """Writes `average/processor_config.json` for the size that the model was trained at last.

    What suits automatic masks of the checkpoint that the run began with is taken over.
    """

    def began(self, run: RunOutline) -> None:
        """Keep the folder, and what is taken over."""
        self._folder = run.folder / AVERAGE_FOLDER
        self._automatic_masks = {} if run.initial_weights is None else automatic_mask_options(run.initial_weights)

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Do nothing: settings come with the weights."""

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Write the settings."""
        side = ema_network.config.image_size
        images = Sam2ImageProcessorFast(size={"height": side, "width": side})
        Sam2Processor(images, automatic_masks=self._automatic_masks).save_pretrained(self._folder)

    def finished(self) -> None:
        """Do nothing more."""
