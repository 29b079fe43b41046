"""Text files that name some of a dataset's sequences, as those in DAVIS' ImageSets do."""

from pathlib import Path, PurePosixPath

from masklet.errors import InvalidInputError

SUFFIX = ".txt"


def is_sequence_list(path: Path) -> bool:
    """Whether a path is that of a text file."""
    return path.suffix.lower() == SUFFIX and path.is_file()


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
    """The word, or the name of the folder that it says an image or label map is in."""
    return word.parent.name if word.suffix else word.name
