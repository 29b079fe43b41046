"""Whose fault it is that nothing can be built: the file's, or that of keywords."""

import pytest

from masklet.configuration.loading_arguments import built_from_file
from masklet.errors import CheckpointError, InvalidInputError


def build(values, **overrides):
    merged = values | overrides
    if merged["size"] < 0:
        raise InvalidInputError(f"size={merged['size']}")
    return merged


def test_keywords_win_over_the_file():
    assert built_from_file(build, {"size": -1, "what": 2}, "a.json", size=3, what=4) == {"size": 3, "what": 4}


def test_an_error_names_the_file_unless_the_keywords_are_wrong():
    with pytest.raises(CheckpointError, match=r"^a\.json: size=-1$"):
        built_from_file(build, {"size": -1}, "a.json")
    with pytest.raises(CheckpointError, match=r"^a\.json: size=-1$"):
        built_from_file(build, {"size": -1}, "a.json", size=-2)
    with pytest.raises(InvalidInputError, match=r"^size=-2$") as caught:
        built_from_file(build, {"size": 1}, "a.json", size=-2)
    assert not isinstance(caught.value, CheckpointError)
