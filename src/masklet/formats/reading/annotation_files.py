"""Names of annotation files: partners that differ in the suffix alone, and text files that list sequences."""

from collections.abc import Container, Iterable
from pathlib import Path, PurePosixPath

from masklet.errors import InvalidInputError

LIST_SUFFIX = ".txt"  # of lists as in DAVIS' ImageSets


def by_stem(paths: Iterable[Path], annotated: Container[str] | None = None) -> dict[str, Path]:
    """Return the files of one folder by their names without suffix, in their order.

    InvalidInputError, naming both, if two have the same and it is in `annotated` (None: all are): which of them an
    annotation is about is not known.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found and (annotated is None or path.stem in annotated):
            both = f"{found[path.stem]} and {path}"
            raise InvalidInputError(f"{both} have one name but for the suffix; annotations of it could be of either.")
        found[path.stem] = path
    return found


def is_sequence_list(path: Path) -> bool:
    """Return whether a path is that of a text file."""
    return path.suffix.lower() == LIST_SUFFIX and path.is_file()


def read_sequence_list(path: Path) -> tuple[str, ...]:
    """Return the names in a list, one a line, each once and in their order.

    Lines of DAVIS 2016 are of two files, /JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png: the names
    are those of their folders. InvalidInputError if the file is no text.
    """
    try:
        words = path.read_text(encoding="utf-8-sig").split()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is no list of sequences in UTF-8 ({error}).") from error
    return tuple(dict.fromkeys(_name_in(PurePosixPath(each)) for each in words))


def _name_in(word: PurePosixPath) -> str:
    """Return the word, or the folder's name in the path of an image or label map."""
    return word.parent.name if word.suffix else word.name
