"""Evaluation of a model before and after its training, by the field's own measures."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from masklet.atomic_files import written_whole
from masklet.datasets.checking import require_sound
from masklet.errors import CheckpointError, InvalidInputError
from masklet.evaluation.annotated_data import dataset_name, image_datasets
from masklet.evaluation.images.measurement import evaluate_images
from masklet.evaluation.images.predictors import ImageModelPredictor
from masklet.evaluation.measured_item import mean_values
from masklet.evaluation.reporting.report import Report
from masklet.evaluation.vos.measurement import evaluate_vos
from masklet.evaluation.vos.predictors import VideoModelPredictor
from masklet.formats.reading.opening import holds_videos, is_dataset, open_dataset
from masklet.json_files import is_finite_number, read_json, shown
from masklet.modeling.video_network import VideoNetwork
from masklet.predictors.image_segmenter import ImageSegmenter
from masklet.predictors.video_tracker import VideoTracker
from masklet.training.run.observer import RunOutline
from masklet.training.run.run_state import AVERAGE_FOLDER

MEASUREMENTS = "measurements.json"


@dataclass(frozen=True)
class Measurement:
    """One measure on one dataset, 0 to 1; None where nothing was measured."""

    dataset: str
    measure: str
    before: float | None = None
    after: float | None = None

    @property
    def gain(self) -> str:
        """The gain in percentage points with a sign; empty if either side is missing."""
        if self.before is None or self.after is None:
            return ""
        return f"{100 * (self.after - self.before):+.1f}"


class BeforeAndAfter:
    """Measures the checkpoint that a run starts from and the model that it ends with: `measurements.json`.

    Images by simulated clicks and boxes, videos by the first frame's masks; a folder of datasets of images counts
    as all of them.

    Raises:
        InvalidInputError: at once, for data that cannot be opened or is not sound, and for folders of the same name,
            which results are named by.
    """

    def __init__(self, roots: Sequence[Path], device: str = "cpu") -> None:
        names = [dataset_name(root) for root in roots]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInputError(f"Data to measure on must have different names; twice: {', '.join(twice)}.")
        self._datasets = {root: _datasets_of(root) for root in roots}
        for each in chain.from_iterable(self._datasets.values()):
            require_sound(each)
        self._device = device

    def began(self, run: RunOutline) -> None:
        """Measure the checkpoint, if there is one, on what the run has not measured it on before."""
        self._folder = run.folder
        self._measured = {(each.dataset, each.measure): each for each in read_measurements(run.folder)}
        known = {dataset for dataset, _ in self._measured}
        new = [root for root, inner in self._datasets.items() if not known & {dataset_name(each) for each in inner}]
        if run.initial_weights and new:
            for key, value in self._means(run.initial_weights, new).items():
                self._measured[key] = Measurement(*key, before=value)
            self._save()

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Do nothing: the model is measured at the end."""

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Do nothing: the model is measured at the end."""

    def finished(self) -> None:
        """Measure the trained model."""
        for key, value in self._means(self._folder / AVERAGE_FOLDER, self._datasets).items():
            self._measured[key] = replace(self._measured.get(key, Measurement(*key)), after=value)
        self._save()

    def _means(self, model: str | Path, roots: Iterable[Path]) -> dict[tuple[str, str], float]:
        """Average each measure on each dataset."""
        means: dict[tuple[str, str], float] = {}
        for root in roots:
            report = self._report(root, model)
            for dataset, items in report.datasets.items():
                values = mean_values(items)
                means |= {(dataset, heading): values[name] for heading, name in report.shown().items()}
        return means

    def _report(self, root: Path, model: str | Path) -> Report:
        if holds_videos(open_dataset(self._datasets[root][0])):
            return evaluate_vos(root, VideoModelPredictor(VideoTracker.from_pretrained(model, device=self._device)))
        return evaluate_images(root, ImageModelPredictor(ImageSegmenter.from_pretrained(model, device=self._device)))

    def _save(self) -> None:
        with written_whole(self._folder / MEASUREMENTS) as unfinished:
            content = [asdict(each) for each in self._measured.values()]
            unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_measurements(folder: Path) -> list[Measurement]:
    """Read what was measured in a run's folder so far; CheckpointError for a file that holds something else."""
    path = folder / MEASUREMENTS
    try:
        return [_measurement(each) for each in read_json(path)] if path.exists() else []
    except (InvalidInputError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); remove it to measure anew.") from error


def _measurement(content: Any) -> Measurement:
    measured = Measurement(**content)
    values = (measured.before, measured.after)
    are_texts = isinstance(measured.dataset, str) and isinstance(measured.measure, str)
    if not are_texts or not all(value is None or is_finite_number(value) for value in values):
        raise InvalidInputError(f"an entry is {shown(content)}")
    return measured


def _datasets_of(root: Path) -> list[Path]:
    """Return the datasets of a root, which may be a folder of datasets of images that the evaluation opens."""
    return [root] if is_dataset(root) else [each.root for each in image_datasets(root).values()]
