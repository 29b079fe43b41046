"""Files that appear under their final name only when they are complete."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNFINISHED = ".unfinished-"


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, delete it on any error or interrupt.

    The temporary name keeps the suffix of `path`, because image and video writers choose their format by it.
    """
    final = Path(path).resolve()  # a link stays one, and what it points to is written
    _check_kind(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{_UNFINISHED}{final.stem}-", suffix=final.suffix, dir=final.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.chmod(0o666 & ~_umask())
        os.replace(unfinished, final)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def folder_written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder; on success move each of its files into `path`, on any error leave `path` as it was.

    It lies inside `path`: what is beside a mounted or linked folder may be another disk, or not be writable.
    """
    final = Path(path)
    is_new = not final.exists()
    final.mkdir(parents=True, exist_ok=True)
    unfinished: Path | None = None
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=final))
        yield unfinished
        for file in sorted(unfinished.iterdir()):
            file.chmod(0o666 & ~_umask())
            os.replace(file, final / file.name)
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
        if is_new and not any(final.iterdir()):
            final.rmdir()


def remove_unfinished(folder: str | os.PathLike[str]) -> None:
    """Remove what writers that were killed left anywhere below `folder`, where nobody else may be writing now."""
    for path in [*Path(folder).rglob(f"{_UNFINISHED}*")]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def check_writable(folder: str | os.PathLike[str]) -> None:
    """Raise before any work the OSError by which writing into `folder`, made if need be, would end; names `folder`."""
    _check_that_files_fit_into(Path(folder), wanted=folder)


def check_file_writable(path: str | os.PathLike[str]) -> None:
    """Raise before any work the OSError by which writing the file `path` would end; names `path`."""
    _check_kind(Path(path))
    _check_that_files_fit_into(Path(path).parent, wanted=path)


def _check_kind(path: Path) -> None:
    """A folder stays one, and a device or a pipe would be replaced by a file."""
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
