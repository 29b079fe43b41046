"""Where the files of a checkpoint come from: a folder, a single file, the Hugging Face hub or the bundled model."""

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypedDict, Unpack

from masklet.atomic_files import finish_moves
from masklet.errors import CheckpointError
from masklet.folders import entries, is_system_entry, matching

Source = str | os.PathLike[str] | None

# Files of torch.save: a configuration beside them is not theirs.
PICKLE_SUFFIXES = (".pt", ".pth", ".bin")
BUNDLED_FOLDER = Path(__file__).with_name("bundled")
# Seconds. The hub's own client retries for half a minute; one question with this limit tells whether the hub answers.
HUB_TIMEOUT = 5.0
ALLOWED = "an existing folder or file, a hub id 'owner/name', or None"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]*\w")


class Location(TypedDict, total=False):
    """Where in a source files are, and how the hub is asked for them.

    `subfolder` of the source; `revision`, a branch, tag or commit of a hub repository; `token` of a user of the hub
    (default: the one that `hf auth login` stored), `cache_dir` instead of the hub client's own cache,
    `local_files_only` to ask nobody, `force_download` to fetch what is in the cache once more.
    """

    subfolder: str
    revision: str | None
    token: str | bool | None
    cache_dir: str | Path | None
    local_files_only: bool
    force_download: bool


def locate_file(source: Source, filename: str, *, required: bool = True, **location: Unpack[Location]) -> Path | None:
    """Return the local path of one file of a checkpoint, downloading it from the hub if need be.

    `source` is None (the model inside the package), a folder, a file (its own name, and for files other than .pt and
    .bin the names beside it) or a hub id `owner/name`. A file that is not there gives None, or `CheckpointError` (an
    `OSError`) if `required`. A source that is not there is always a `CheckpointError`, within seconds even without a
    network.
    """
    place = _open_source(source, location)
    name = str(PurePosixPath(location.get("subfolder") or "") / filename)
    path = place.find(name)
    if path is None and required:
        raise CheckpointError(f"{place} has no file {name!r}.")
    return path


def list_files(source: Source, **location: Unpack[Location]) -> list[str]:
    """Return the sorted names of the files of a checkpoint (directly in `subfolder`); arguments as `locate_file`."""
    return sorted(_open_source(source, location).names_in(location.get("subfolder") or ""))


def finish_moves_in(folder: Path) -> None:
    """Move what a program that wrote a model there, and was killed, has not moved; CheckpointError if it cannot be."""
    try:
        finish_moves(folder)
    except OSError as error:
        raise CheckpointError(
            f"{folder} holds files of two checkpoints: a program was killed while it moved those of the second "
            f"one there. The rest cannot be moved: {error}"
        ) from error


@dataclass(frozen=True)
class _Folder:
    """A folder on disk."""

    folder: Path
    description: str

    def __str__(self) -> str:
        return self.description

    def find(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.is_file() else None

    def names_in(self, subfolder: str) -> list[str]:
        folder = self.folder / subfolder
        return [path.name for path in entries(folder) if path.is_file()] if folder.is_dir() else []


@dataclass(frozen=True)
class _SingleFile:
    """A file that was named itself; pickle files stand alone, others may have a configuration beside them."""

    file: Path

    def __str__(self) -> str:
        return str(self.file)

    def find(self, name: str) -> Path | None:
        if name != self.file.name and self.file.suffix in PICKLE_SUFFIXES:
            return None
        path = self.file.parent / name
        return path if path.is_file() else None

    def names_in(self, subfolder: str) -> list[str]:
        return [] if subfolder else [self.file.name]


@dataclass(frozen=True)
class _HubRepository:
    """A repository of the hub that answered just now."""

    repo_id: str
    location: Location
    files: frozenset[str]

    def __str__(self) -> str:
        return f"The hub repository {self.repo_id}"

    def find(self, name: str) -> Path | None:
        from huggingface_hub import hf_hub_download

        if name not in self.files:
            return None
        try:
            options: dict[str, Any] = {key: value for key, value in self.location.items() if key != "subfolder"}
            return Path(hf_hub_download(self.repo_id, name, etag_timeout=HUB_TIMEOUT, **options))
        except Exception as error:  # the client's HTTP library, and so its errors, depend on its version
            raise CheckpointError(f"Cannot download {name!r} of {self.repo_id}: {_first_line(error)}") from error

    def names_in(self, subfolder: str) -> list[str]:
        paths = map(PurePosixPath, self.files)
        inside = (path.name for path in paths if path.parent == PurePosixPath(subfolder))
        return [name for name in inside if not is_system_entry(name)]


def _open_source(source: Source, location: Location) -> _Folder | _SingleFile | _HubRepository:
    if source is None:
        if not matching(BUNDLED_FOLDER, "*.json"):
            raise CheckpointError("This installation of masklet has no bundled model; give a folder or a hub id.")
        return _Folder(BUNDLED_FOLDER, "The bundled model")
    if not isinstance(source, str | os.PathLike):
        raise CheckpointError(f"A checkpoint is named by {ALLOWED}; got a {type(source).__name__}.")
    path = Path(source)
    if path.is_dir():
        for folder in {path, path / (location.get("subfolder") or "")}:
            finish_moves_in(folder)
        return _Folder(path, str(path))
    if path.is_file():
        return _SingleFile(path)
    if isinstance(source, str) and _HUB_ID.fullmatch(source):
        return _open_hub_repository(source, location)
    raise CheckpointError(f"There is no checkpoint {str(source)!r}; allowed: {ALLOWED}.")


def _open_hub_repository(repo_id: str, location: Location) -> _Folder | _HubRepository:
    """Ask the hub which files there are; if it cannot be reached, use what an earlier download left in the cache."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    revision, token = location.get("revision"), location.get("token")
    try:
        if location.get("local_files_only"):
            raise OfflineModeIsEnabled("local_files_only")
        siblings = HfApi(token=token).model_info(repo_id, revision=revision, timeout=HUB_TIMEOUT).siblings or []
        return _HubRepository(repo_id, location, frozenset(sibling.rfilename for sibling in siblings))
    except RevisionNotFoundError as error:
        raise CheckpointError(f"The hub repository {repo_id!r} has no revision {revision!r}.") from error
    except GatedRepoError as error:
        raise CheckpointError(
            f"{repo_id!r} is a gated hub repository; ask for access on its page and run `hf auth login`."
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise CheckpointError(
            f"{repo_id!r} is neither an existing folder or file nor a hub repository that can be read; "
            "check the spelling (for a private one, run `hf auth login`)."
        ) from error
    except Exception as error:  # the client's HTTP library, and so its errors, depend on its version
        try:
            cache = location.get("cache_dir")
            folder = Path(snapshot_download(repo_id, revision=revision, cache_dir=cache, local_files_only=True))
        except LocalEntryNotFoundError:
            raise CheckpointError(
                f"{repo_id!r} is not an existing folder or file, and as a hub id it cannot be fetched: "
                f"it is not in the local cache and the hub cannot be reached ({_first_line(error)}). "
                "Connect, unset HF_HUB_OFFLINE and local_files_only, or give the path of a downloaded checkpoint."
            ) from error
        return _Folder(folder, f"The cached copy of the hub repository {repo_id} (the hub cannot be reached)")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
