"""Files that appear under their final name only when they are complete."""

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from masklet.file_locks import folder_lock

_UNFINISHED = ".unfinished-"
# In such a folder: the complete files that are being moved out of it, and a list of those that they replace.
_COMPLETE, _GONE = "complete", "gone.json"


@contextmanager
def written_whole(path: str | os.PathLike[str], *, durable: bool = False) -> Iterator[Path]:
    """Yield the path of an empty file to be written; move it to `path` on success, delete it on any error or interrupt.

    It has the name of `path`, because image and video writers choose their format by it. A process that is forked
    within the block must not go on to its end; what it does by leaving is refused, and the parent's file stays.

    Args:
        path: the final name; a link stays one, and what it points to is written.
        durable: whether the file has to survive a power failure once this returns; a kill it survives anyway.

    Raises:
        OSError: if the file cannot be written, or is being written by the process that this one was forked from.
    """
    final = Path(os.path.realpath(path))  # which of a link to itself makes no exception, unlike `Path.resolve`
    _check_kind(final)
    made_folder(final.parent)
    with _workplace(final.parent) as place:
        unfinished = place / final.name
        unfinished.touch()
        with _left_by_its_own_process(final):
            yield unfinished
        unfinished.chmod(0o666 & ~_umask())
        if durable:
            sync(unfinished)
        os.replace(unfinished, final)
        if durable:
            sync(final.parent)


@contextmanager
def folder_written_whole(path: str | os.PathLike[str], replaces: re.Pattern[str] | None = None) -> Iterator[Path]:
    """Yield a temporary folder; on success move each of its files into `path`, on any error leave `path` as it was.

    It lies inside `path`: what is beside a mounted or linked folder may be another disk, or not be writable. What a
    writer that was killed had not moved yet, the next writer moves, or `finish_moves`.

    Args:
        path: the folder, made if it does not exist.
        replaces: names of older files that go once the new ones are complete.
    """
    final = Path(path)
    made = [each for each in (final, *final.parents) if not each.exists()]
    made_folder(final)
    remove_unfinished(final)
    try:
        with _workplace(final) as place:
            unfinished = place / "content"
            unfinished.mkdir()
            with _left_by_its_own_process(final):
                yield unfinished
            names = {file.name for file in unfinished.iterdir()}
            older = [] if replaces is None else [each.name for each in final.iterdir() if replaces.fullmatch(each.name)]
            (place / _GONE).write_text(json.dumps(sorted(set(older) - names)), encoding="utf-8")
            for name in names:
                (unfinished / name).chmod(0o666 & ~_umask())
            os.replace(unfinished, place / _COMPLETE)  # from here on the new files count
            _move(place, final)
    finally:
        for folder in made:
            with suppress(OSError):  # not empty
                folder.rmdir()


def made_folder(path: Path) -> None:
    """Make a folder and those above it unless they exist; NotADirectoryError, naming it, where a file is in the way."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(errno.ENOTDIR, "a folder is needed, a file is in its place", os.fspath(path)) from None


@contextmanager
def _left_by_its_own_process(final: Path) -> Iterator[None]:
    """Raise OSError if a process that was forked within the block comes to its end."""
    process = os.getpid()
    yield
    if os.getpid() != process:
        raise OSError(errno.EPERM, "this is written by the process that this one was forked from", os.fspath(final))


@contextmanager
def _workplace(parent: Path) -> Iterator[Path]:
    """Yield a new folder in `parent`, held while it is written in, so that others see whose writer was killed."""
    process = os.getpid()
    with ExitStack() as holding:
        while True:
            place = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=parent))
            with suppress(FileNotFoundError):  # another process took it for a leftover before it was held
                if holding.enter_context(folder_lock(place)) is not False and place.exists():
                    break
        try:
            yield place
        finally:
            if os.getpid() == process and not (place / _COMPLETE).exists():  # else it is the parent's still
                shutil.rmtree(place, ignore_errors=True)


def remove_unfinished(folder: str | os.PathLike[str], *, is_deep: bool = False) -> None:
    """Remove what killed writers left in `folder` and in the folders directly below it; what was complete is kept.

    `is_deep`: in all folders below it.

    What a living process is writing stays; so does everything where the system has no locks to tell the two apart.
    """
    for pattern in (f"**/{_UNFINISHED}*",) if is_deep else (f"{_UNFINISHED}*", f"*/{_UNFINISHED}*"):
        for left in list(Path(folder).glob(pattern)):
            with suppress(OSError):
                _remove_left(left)


def remove_all_but(kept: Path | None, folder: Path) -> None:
    """Remove all that is directly in `folder`, if that exists, but for one file or folder."""
    for path in folder.glob("*"):
        if path.is_dir() and not path.is_symlink() and path != kept:
            shutil.rmtree(path)
        elif path != kept:
            path.unlink()


def _remove_left(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        with folder_lock(path) as is_held:
            if is_held:
                if _is_complete(path):
                    _move(path, path.parent)
                shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()  # of a version that wrote beside the final file


def finish_moves(folder: str | os.PathLike[str]) -> None:
    """Move what a writer of the whole folder, killed meanwhile, has not moved: `folder` holds files of two versions.

    Raises:
        OSError: if that is so and the files cannot be moved.
    """
    for left in filter(_is_complete, Path(folder).glob(f"{_UNFINISHED}*")):
        with folder_lock(left) as is_held:
            if is_held and _is_complete(left):
                _move(left, Path(folder))
                shutil.rmtree(left, ignore_errors=True)


def _is_complete(place: Path) -> bool:
    """Whether files are still to be moved. Of a folder that came from elsewhere no link is followed out of it."""
    own = (place, place / _COMPLETE, place / _GONE)
    return (place / _COMPLETE).is_dir() and not any(each.is_symlink() for each in own)


def _move(place: Path, final: Path) -> None:
    """Move complete files to where they belong; done again, it does what is left to do."""
    for name in _names_gone(place / _GONE):
        if Path(name).name == name:  # a file of this folder, whoever wrote the list
            (final / name).unlink(missing_ok=True)
    for file in sorted((place / _COMPLETE).iterdir()):
        os.replace(file, final / file.name)
    (place / _COMPLETE).rmdir()


def _names_gone(path: Path) -> list[str]:
    try:
        names = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise OSError(errno.EINVAL, "this list of replaced files is damaged", os.fspath(path))
    return names


def sync(path: Path) -> None:
    """Wait until a file, or the list of a folder's files, is on the disk itself, where the system can tell."""
    if path.is_dir() and not hasattr(os, "O_DIRECTORY"):
        return  # Windows
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_below(folder: Path) -> None:
    """Wait until all files and lists of files below a folder are on the disk itself, where the system can tell."""
    for path in folder.rglob("*"):
        sync(path)


def check_writable(folder: str | os.PathLike[str]) -> None:
    """Raise before any work the OSError by which writing into `folder`, made if need be, would end; names `folder`."""
    _check_that_files_fit_into(Path(folder), wanted=folder)


def check_file_writable(path: str | os.PathLike[str]) -> None:
    """Raise before any work the OSError by which writing the file `path` would end; names `path`."""
    _check_kind(Path(path))
    _check_that_files_fit_into(Path(path).parent, wanted=path)


def _check_kind(path: Path) -> None:
    """Refuse folders, which cannot be replaced by a file, and devices and pipes, which must not be."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder, a file is needed", os.fspath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "this is a device or a pipe, a file is needed", os.fspath(path))


def _check_that_files_fit_into(folder: Path, wanted: str | os.PathLike[str]) -> None:
    absolute = folder.absolute()
    existing = next(each for each in (absolute, *absolute.parents) if each.exists())
    try:
        # Tried, as rights do not tell: a superuser has them all, and /proc still takes no files.
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        # Built from its number it is an error of the same kind.
        raise OSError(error.errno, f"cannot be written ({existing}: {error.strerror})", os.fspath(wanted)) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
