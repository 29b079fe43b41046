"""The ingredients of a recipe from the command line: data and, for some, a checkpoint to start from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from masklet.configuration import Sam2Config
from masklet.configuration.base import CONFIG_FILE
from masklet.datasets.sampling.mixture import DataMixture
from masklet.errors import InvalidInputError
from masklet.formats.reading.opening import holds_videos, is_dataset, open_dataset
from masklet.sources import BUNDLED_FOLDER, locate_file
from masklet.training.run.run_record import RunRecord
from masklet.training.settings.procedure import LossWeights


@dataclass(frozen=True)
class Ingredients:
    """Data and checkpoint of a recipe.

    Attributes:
        images: folders of material for the procedural world.
        annotated: recorded datasets.
        holds_videos: whether any of these holds videos.
        initial_weights: a folder, file or hub id; None where none was named.
        begun: the record of a resumed run, which needs those weights no more.
    """

    images: tuple[Path, ...] = ()
    annotated: tuple[Path, ...] = ()
    holds_videos: bool = False
    initial_weights: str | None = None
    begun: RunRecord | None = None

    @classmethod
    def of(
        cls, roots: Sequence[Path], initial_weights: str | None = None, begun: RunRecord | None = None
    ) -> "Ingredients":
        """Sort data roots into annotated ones, in a layout that is known, and folders of mere images.

        InvalidInputError for annotations that are broken, and for files that are no dataset.
        """
        annotated = tuple(root for root in roots if is_dataset(root))
        for root in roots:
            if root.is_file() and root not in annotated:
                raise InvalidInputError(
                    f"{root} is no dataset. Of files, COCO's JSON is one, and a list of sequences (.txt) in a folder "
                    "with JPEGImages and Annotations."
                )
        images = tuple(root for root in roots if root not in annotated)
        has_videos = any(holds_videos(open_dataset(root)) for root in annotated)
        return cls(images, annotated, has_videos, initial_weights, begun)

    @property
    def data(self) -> DataMixture:
        """Annotated data and, where images for it were given too, as much of the procedural world as of each root."""
        return DataMixture(roots=self.annotated, procedural=1.0 if self.images else 0.0)

    @property
    def checkpoint(self) -> str:
        """The start of fine-tuning: the named checkpoint, or the bundled model."""
        return self.initial_weights or str(BUNDLED_FOLDER)

    def checkpoint_config(self) -> Sam2Config:
        """Load that checkpoint's configuration, as it was when the run began; `CheckpointError` if there is none."""
        if self.begun is not None:
            return self.begun.model_config()
        if locate_file(self.checkpoint, CONFIG_FILE, required=False):
            return Sam2Config.from_pretrained(self.checkpoint)
        from masklet.checkpoints.reading import open_checkpoint  # needs torch, and reads the weights

        return open_checkpoint(self.checkpoint, Sam2Config)[0]

    def checkpoint_losses(self) -> LossWeights:
        """Load the loss weights that masklet trained that checkpoint with; the papers' for any other.

        `CheckpointError` if the checkpoint's record is damaged.
        """
        record = self.begun or RunRecord.load(Path(self.checkpoint))
        return LossWeights() if record is None else record.losses()
