"""The examples in the docstrings of the public API run, and give what they show."""

import doctest
import io
from pathlib import Path

import pytest

import masklet
from masklet.configuration import Config

FINDER = doctest.DocTestFinder(recurse=False)
# One example stands for all of a kind: that of InvalidInputError, and that of Sam2Config.
SHOWN_TOGETHER = {
    name
    for name in masklet.__all__
    if isinstance(kind := getattr(masklet, name), type) and issubclass(kind, Exception | Config)
} - {"InvalidInputError", "Sam2Config"}


@pytest.mark.parametrize("name", sorted({*masklet.__all__} - SHOWN_TOGETHER))
def test_examples_give_what_they_show(name: str, readers_folder: Path) -> None:
    (example,) = FINDER.find(getattr(masklet, name), name, module=False, globs={})
    assert example.examples, f"The docstring of {name} has no example"
    report = io.StringIO()
    doctest.DocTestRunner(verbose=False).run(example, out=report.write)
    assert report.getvalue() == ""
