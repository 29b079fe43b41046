"""The jobs of a batch: lines of a JSONL file, or the media files of a folder; read and checked before any work."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from masklet.errors import InvalidInputError
from masklet.folders import entries, is_system_entry
from masklet.formats.names import comparable
from masklet.formats.reading.batch_folders import BATCH, PART, STATE
from masklet.jobs.batch_datasets import dataset_jobs, is_dataset_of_jobs, is_medium
from masklet.jobs.batch_options import checked_options
from masklet.json_files import is_file_name, read_json, shown
from masklet.media.frame_folders import IMAGE_SUFFIXES
from masklet.media.prompt_entries import Place, PromptEntry, objects_at_frames

KEYS = ("id", "image", "video", "prompts", "prompt_file", "everything", "options")
REPORT_LINES, REPORT_PAGE = "report.jsonl", "report.html"
MOST_BYTES = 200  # of an id
_NO_NAME = re.compile(r'[\x00-\x1f/\\:*?"<>|\ud800-\udfff]')  # the last: bytes that are no UTF-8, as Python reads them
_OF_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


@dataclass(frozen=True)
class BatchJob:
    """An image or a video, and what is to be done with it.

    Attributes:
        id: what the folder of its results is called.
        medium: the image or video as it was given.
        folder: where names of files begin.
        is_video: whether it is a video.
        prompts: the objects, as JSON; None: everything.
        options: as JSON, see `docs/batch.md`.
    """

    id: str
    medium: str
    folder: Path
    is_video: bool
    prompts: list[Any] | None
    options: Mapping[str, Any]

    @classmethod
    def from_json(cls, content: Any, folder: Path) -> Self:
        """Return the job that a line describes; InvalidInputError if it describes none, or OSError of its prompts."""
        if not isinstance(content, dict) or not set(content) <= set(KEYS):
            raise InvalidInputError(f"a job is an object with the keys {', '.join(KEYS)}; got {shown(content)}.")
        media = [key for key in ("image", "video") if key in content]
        if len(media) != 1 or not is_file_name(content[media[0]]):
            raise InvalidInputError(f"a job has either 'image' or 'video', the name of a file; got {shown(content)}.")
        (kind,) = media
        prompts = _prompts(content, folder)
        is_video = kind == "video"
        options = checked_options(content.get("options", {}), is_video=is_video, is_everything=prompts is None)
        job_id = content.get("id", Path(content[kind]).stem)
        _check_id(job_id)
        job = cls(job_id, content[kind], folder, is_video, prompts, options)
        objects = job.objects()
        if not is_video and any(frame for frame, _ in objects):
            raise InvalidInputError("an image has no frames; leave out 'frame'.")
        return job

    @property
    def path(self) -> Path:
        """The file, or the folder of frames."""
        return self.folder / self.medium

    @cached_property  # at its first use, in the process that gives the job to others: they work by what this has read
    def fingerprint(self) -> str:
        """What changes when other results are asked for; the contents of mask files are a part of that."""
        named = (each.get("mask") for each in self.prompts or ())  # and not `objects`, which decodes what is no file
        masks = [_checksum(self.folder / each) for each in named if isinstance(each, str)]
        asked = [self.medium, self.is_video, self.prompts, dict(self.options), *masks]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def objects(self) -> dict[Place, PromptEntry]:
        """Return the prompts by frame and object; none for everything."""
        return {} if self.prompts is None else objects_at_frames(self.prompts, self.folder)

    def size(self) -> int:
        """Return the bytes of the medium, by which longer ones are begun first; 0 if it is missing or empty.

        Frames of a folder count as large as the first one: asking a shared disk for each takes longer than many a job.
        """
        try:
            files = entries(self.path) if self.path.is_dir() else [self.path]
            return len(files) * files[0].stat().st_size if files else 0
        except OSError:
            return 0


def read_jobs(source: Path, *, everything: bool = False) -> list[BatchJob]:
    """Return the jobs of a JSONL file, a folder of media or a dataset.

    In a folder each image, video and folder of frames is a job whose prompts are in a JSON file of its name beside it;
    the output of a batch is none.
    Of a dataset see `dataset_jobs`.

    Args:
        source: the file or the folder; names in it start at its folder.
        everything: whether media of a folder without such a file are jobs, too, of everything in them, and all media of
            a dataset.

    Raises:
        OSError: if it cannot be read.
        InvalidInputError: naming the line or the file, if it is no job, and for ids whose results would collide.
    """
    folder = source if source.is_dir() else source.parent
    if is_dataset_of_jobs(source):
        folder, described = dataset_jobs(source, everything=everything)
    else:
        described = _of_folder(source, everything) if source.is_dir() else _of_lines(source)
    jobs: dict[str, tuple[str, BatchJob]] = {}
    for where, content in described:
        try:
            job = BatchJob.from_json(content, folder)
        except InvalidInputError as error:
            raise InvalidInputError(f"{where}: {error}") from error
        other, first = jobs.setdefault(comparable(job.id), (where, job))
        if first is not job:
            raise InvalidInputError(
                f"{other} and {where} have the ids {first.id!r} and {job.id!r}, whose results would be one folder; "
                "give each job an id of its own (capital letters do not count)."
            )
    if not jobs:
        raise InvalidInputError(f"{source} holds no jobs.")
    return [job for _, job in jobs.values()]


def _of_lines(source: Path) -> Iterator[tuple[str, Any]]:
    with source.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield f"{source}, line {number}", json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InvalidInputError(f"{source}, line {number}: this is not JSON ({error}).") from error


def _of_folder(source: Path, everything: bool) -> Iterator[tuple[str, Any]]:
    for path in entries(source):
        kind = "image" if path.suffix.lower() in IMAGE_SUFFIXES else "video"
        is_output = (path / STATE / BATCH).is_file()  # of this batch perhaps, from its second run on
        if is_output or not (path.is_dir() or is_medium(path)):
            continue
        prompt_file = path.with_suffix(".json") if path.is_file() else path.with_name(f"{path.name}.json")
        if not prompt_file.exists() and not everything:
            raise InvalidInputError(
                f"{path} has no prompts; they stand in {prompt_file.name} beside it, or give --everything."
            )
        how: dict[str, Any] = {"prompt_file": prompt_file.name} if prompt_file.exists() else {"everything": True}
        yield str(path), {"id": path.stem if path.is_file() else path.name, kind: path.name, **how}


def _prompts(content: Mapping[str, Any], folder: Path) -> list[Any] | None:
    """Return the objects that a job names in one of three ways, read from their file if need be; None: everything."""
    given = [key for key in ("prompts", "prompt_file", "everything") if key in content]
    if len(given) != 1:
        raise InvalidInputError("a job has one of 'prompts', 'prompt_file' and 'everything'; got " + shown(given))
    value = content[given[0]]
    if given == ["everything"]:
        if value is not True:
            raise InvalidInputError(f"'everything' is true or left out; got {shown(value)}.")
        return None
    if given == ["prompts"]:
        return value
    if not is_file_name(value):
        raise InvalidInputError(f"'prompt_file' is the name of a JSON file; got {shown(value)}.")
    return read_json(folder / value)


def _checksum(file: Path) -> str:
    """Return what tells the contents of files apart; "" of one that cannot be read, which is the job's own failure."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _check_id(job_id: object) -> None:
    if (
        not isinstance(job_id, str)
        or not is_file_name(job_id)
        or _NO_NAME.search(job_id)
        or len(job_id.encode()) > MOST_BYTES
        or job_id[-1] in " ."
        or is_system_entry(job_id)
        or _OF_WINDOWS.fullmatch(comparable(job_id))
        or comparable(job_id).endswith(PART)
        or comparable(job_id) in (REPORT_LINES, REPORT_PAGE)
    ):
        raise InvalidInputError(
            f"the id {shown(job_id)} cannot be the name of a folder on all systems: up to {MOST_BYTES} bytes of UTF-8, "
            f'without / \\ : * ? " < > |, a dot in front or a dot or space behind; {REPORT_LINES}, {REPORT_PAGE}, '
            f"names of systems (CON, NUL, Thumbs.db) and the ending {PART} are taken."
        )
