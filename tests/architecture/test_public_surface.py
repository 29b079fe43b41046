"""What `from masklet import ...` gives: one list of names, and signatures that change on purpose only."""

import ast
from pathlib import Path

from tests.architecture.public_signatures import SNAPSHOT, parameters, public_signatures
from tests.documents.reference_page import PAGE, SECTIONS, reference_page

import masklet
from masklet.media import video_writer

RENEW = "python -m tests.architecture.public_signatures"


def names_for_type_checkers() -> dict[str, str]:
    """The imports under `if TYPE_CHECKING`: each name and the module that it comes from."""
    tree = ast.parse(Path(masklet.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: (node.module or "").removeprefix("masklet.") for node in imports for alias in node.names}


def test_the_three_lists_of_names_are_one() -> None:
    assert names_for_type_checkers() == masklet._HOMES
    assert sorted(masklet.__all__) == sorted(masklet._HOMES)


def test_signatures_are_as_they_were() -> None:
    """Whoever changes a name, a parameter or a default sees it here and, where it is meant, renews the snapshot."""
    known = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    assert public_signatures().splitlines() == known, f"If the change is meant, run {RENEW}"


def test_the_reference_is_what_the_docstrings_say() -> None:
    named = [name for names in SECTIONS.values() for name in names]
    assert sorted(named) == sorted(masklet.__all__), "SECTIONS of tests/documents/reference_page.py lists all names"
    assert reference_page().splitlines() == PAGE.read_text(encoding="utf-8").splitlines(), f"Run {RENEW}"


def test_a_changed_default_is_seen() -> None:
    assert parameters(lambda a, *, b=2, **c: None) == "(a, *, b=2, **c)"
    assert parameters(lambda a, b=object(): None, is_bound=True) == "(b=<object>)"  # noqa: B008
    assert (
        parameters(masklet.VideoTracker.from_pretrained)
        == "(source=None, *, preset='exact', runtime='auto', **options)"
    )


def test_earlier_spellings_are_the_same() -> None:
    assert video_writer.written_video is masklet.write_video
