"""What DAVIS, YouTube-VOS and MOSE have in common: a folder of frames and one of label maps for each sequence."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from masklet.datasets.annotated import EmptyDatasetError
from masklet.datasets.label_map_video import LabelMapVideo
from masklet.datasets.problems import Problem, ProblemKind, single_frame
from masklet.datasets.stems import by_stem
from masklet.errors import InvalidInputError
from masklet.media.frame_folders import frames_of_folder

FRAMES = "JPEGImages"
ANNOTATIONS = "Annotations"


class LabelMapFolder:
    """The sequences under `root`: pictures in `JPEGImages/<sequence>`, label maps in `Annotations/<sequence>`.

    A frame and its label map have the same name but for the suffix. Files are read when they are used.
    InvalidInputError, naming the folder, if there are no sequences; from `[name]` if two frames have one name but for
    the suffix, label maps lack their frame, or, where every frame is annotated, frames their label map.

    Attributes:
        root: the folder.
        sequences: the names of the folders of label maps, sorted.
    """

    NAME: ClassVar[str]
    EVERY_FRAME_IS_ANNOTATED: ClassVar[bool]

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._frames, self._annotations = (self._folder(self.root / each) for each in (FRAMES, ANNOTATIONS))
        self.sequences = tuple(sorted(each.name for each in self._annotations.iterdir() if each.is_dir()))
        if not self.sequences:
            raise EmptyDatasetError(f"{self._annotations} holds no folder; expected one for each sequence.")

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[LabelMapVideo]:
        return (self[name] for name in self.sequences)

    def __getitem__(self, name: str) -> LabelMapVideo:
        """Return the sequence `name`."""
        if name not in self.sequences:
            raise InvalidInputError(f"{self.root} has no sequence {name!r}; it has {', '.join(self.sequences)}.")
        frames, annotations = self._files(name)
        unpaired = sorted(self._unpaired(frames, annotations))
        if unpaired or not annotations:
            first = f", {unpaired[0]!r} for one" if unpaired else ""
            raise InvalidInputError(
                f"The sequence {name!r} of {self.root} has {len(frames)} pictures and {len(annotations)} label maps; "
                f"expected one for each{first}."
            )
        annotated = {number: stem for number, stem in enumerate(frames) if stem in annotations}
        paths = tuple(annotations[stem] for stem in annotated.values())
        return self._video(name, tuple(frames.values()), tuple(annotated), paths)

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return the pictures and the label maps of the sequence `name`."""
        frames, annotations = self._files(name)
        return *frames.values(), *annotations.values()

    def problems(self) -> Iterator[Problem]:
        """Yield label maps without frame, frames without label map, sequences of one frame; reads names only."""
        for folder in sorted(each for each in self._frames.iterdir() if each.is_dir()):
            if folder.name not in self.sequences:
                yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(folder), f"{self._annotations} has no such folder")
        for name in self.sequences:
            try:
                yield from self._problems_of(name, *self._files(name))
            except InvalidInputError as error:
                yield Problem(ProblemKind.BROKEN_ANNOTATIONS, str(self._frames / name), str(error))

    def _problems_of(self, name: str, frames: dict[str, Path], annotations: dict[str, Path]) -> Iterator[Problem]:
        for stem in sorted(self._unpaired(frames, annotations)):
            if stem in annotations:
                where = self._frames / name
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(annotations[stem]), f"not in {where}")
            else:
                where = self._annotations / name
                yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(frames[stem]), f"not in {where}")
        if not annotations:
            yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(self._annotations / name), "no label maps")
        elif len(frames) == 1:
            yield single_frame(self.root, name)

    def _unpaired(self, frames: dict[str, Path], annotations: dict[str, Path]) -> set[str]:
        return frames.keys() ^ annotations.keys() if self.EVERY_FRAME_IS_ANNOTATED else annotations.keys() - frames

    def _files(self, name: str) -> tuple[dict[str, Path], dict[str, Path]]:
        """Return the pictures and the label maps of a sequence by their names, in the order of the numbers in these."""
        folders = self._frames / name, self._annotations / name
        pictures, label_maps = (frames_of_folder(each) if each.is_dir() else [] for each in folders)
        label_maps = [each for each in label_maps if each.suffix.lower() == ".png"]
        return by_stem(pictures), by_stem(label_maps)

    def _video(
        self, name: str, frames: tuple[Path, ...], annotated: tuple[int, ...], paths: tuple[Path, ...]
    ) -> LabelMapVideo:
        return LabelMapVideo(name, frames, annotated, paths)

    def _folder(self, folder: Path) -> Path:
        if not folder.is_dir():
            raise InvalidInputError(f"{folder} is no folder; expected {FRAMES} and {ANNOTATIONS} as in {self.NAME}.")
        return folder


def holds_sequences(root: Path) -> bool:
    """Whether `root` has the two folders, and these hold no pictures themselves, as those of stills do."""
    folders = root / FRAMES, root / ANNOTATIONS
    return all(each.is_dir() and not frames_of_folder(each) for each in folders)
