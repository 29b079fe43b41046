"""The common layout of DAVIS, YouTube-VOS and MOSE: a folder of frames and one of label maps for each sequence."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from masklet.errors import InvalidInputError
from masklet.folders import folders_in
from masklet.formats.reading.annotated import EmptyDatasetError
from masklet.formats.reading.annotation_files import by_stem, is_sequence_list, read_sequence_list
from masklet.formats.reading.label_map_video import LabelMapVideo
from masklet.formats.reading.problems import Problem, ProblemKind, listing, single_frame
from masklet.media.frame_folders import frames_of_folder

FRAMES = "JPEGImages"
ANNOTATIONS = "Annotations"


class LabelMapFolder:
    """The sequences under `root`: images in `JPEGImages/<sequence>`, label maps in `Annotations/<sequence>`.

    A frame and its label map have the same name but for the suffix. Files are read when they are used. `root` can also
    be a list of some of the sequences: a text file, anywhere in the folder of the dataset.
    InvalidInputError, naming the folder, if there are no sequences, or not all that are listed; from `[name]` if two
    frames have one name but for the suffix, label maps lack their frame, or, where every frame is annotated, frames
    their label map.

    Attributes:
        root: the folder, also where a list in it is opened.
        sequences: the names of the folders of label maps, sorted, or those of the list.
    """

    NAME: ClassVar[str]
    EVERY_FRAME_IS_ANNOTATED: ClassVar[bool]

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = folder_of_sequences(Path(root))
        self._frames, self._annotations = (self._folder(self.root / each) for each in (FRAMES, ANNOTATIONS))
        self._annotated = tuple(each.name for each in folders_in(self._annotations))
        if not self._annotated:
            raise EmptyDatasetError(f"{self._annotations} holds no folder; expected one for each sequence.")
        self._list = Path(root) if is_sequence_list(Path(root)) else None
        self.sequences = self._annotated if self._list is None else self._listed(self._list)

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether `root`, or the folder above it if it is a list of sequences, has this layout."""
        folder = folder_of_sequences(root)
        return _holds_sequences(folder) and cls._is_layout_of(folder)

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
                f"The sequence {name!r} of {self.root} has {len(frames)} images and {len(annotations)} label maps; "
                f"expected one for each{first}."
            )
        annotated = {number: stem for number, stem in enumerate(frames) if stem in annotations}
        paths = tuple(annotations[stem] for stem in annotated.values())
        return self._video(name, tuple(frames.values()), tuple(annotated), paths)

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return the images and the label maps of the sequence `name`."""
        frames, annotations = self._files(name)
        return *frames.values(), *annotations.values()

    def problems(self) -> Iterator[Problem]:
        """Yield label maps without frame, frames without label map, sequences of one frame; reads names only."""
        if self._list is None:  # a list is there to leave sequences out
            for folder in folders_in(self._frames):
                if folder.name not in self._annotated:
                    detail = f"{self._annotations} has no such folder"
                    yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(folder), detail)
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

    @classmethod
    def _is_layout_of(cls, folder: Path) -> bool:
        """Return whether this is the layout of a folder with JPEGImages and Annotations that hold folders."""
        raise NotImplementedError

    def _listed(self, path: Path) -> tuple[str, ...]:
        names = read_sequence_list(path)
        if not names:
            raise EmptyDatasetError(f"{path} names no sequence; expected one a line.")
        missing = [each for each in names if each not in self._annotated]
        if missing:
            raise InvalidInputError(
                f"{path} names sequences that {self._annotations} does not hold: {listing(missing)}."
            )
        return names

    def _unpaired(self, frames: dict[str, Path], annotations: dict[str, Path]) -> set[str]:
        return frames.keys() ^ annotations.keys() if self.EVERY_FRAME_IS_ANNOTATED else annotations.keys() - frames

    def _files(self, name: str) -> tuple[dict[str, Path], dict[str, Path]]:
        """Return the images and the label maps of a sequence by their names, in the order of the numbers in these."""
        folders = self._frames / name, self._annotations / name
        images, label_maps = (frames_of_folder(each) if each.is_dir() else [] for each in folders)
        label_maps = [each for each in label_maps if each.suffix.lower() == ".png"]
        return by_stem(images), by_stem(label_maps)

    def _video(
        self, name: str, frames: tuple[Path, ...], annotated: tuple[int, ...], paths: tuple[Path, ...]
    ) -> LabelMapVideo:
        return LabelMapVideo(name, frames, annotated, paths)

    def _folder(self, folder: Path) -> Path:
        if not folder.is_dir():
            raise InvalidInputError(f"{folder} is no folder; expected {FRAMES} and {ANNOTATIONS} as in {self.NAME}.")
        return folder


def folder_of_sequences(root: Path) -> Path:
    """Return the folder with JPEGImages and Annotations: `root`, or the nearest above it if it is a list in one."""
    above = root.absolute().parents if is_sequence_list(root) else ()
    return next((each for each in above if _has_both_folders(each)), root)


def _has_both_folders(folder: Path) -> bool:
    return all((folder / each).is_dir() for each in (FRAMES, ANNOTATIONS))


def _holds_sequences(folder: Path) -> bool:
    """Return whether it has the two folders, and these hold no images themselves, as those of annotated images do."""
    return _has_both_folders(folder) and not any(frames_of_folder(folder / each) for each in (FRAMES, ANNOTATIONS))
