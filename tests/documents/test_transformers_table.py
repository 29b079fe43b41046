"""The table of transformers' public API in docs/transformers.md, against the installed release and our classes."""

import inspect
import re
from pathlib import Path

import pytest
from tests.documents.transformers_api import members, rows

import masklet
from masklet.configuration import Config

pytest.importorskip("transformers", reason="make test installs it")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "transformers.md"
ROW = re.compile(r"^\| `(Sam2\w+)` \| `([^`]+)` \| (.+) \|$", re.MULTILINE)


def remarks() -> dict[tuple[str, str], str]:
    return {(name, member): remark for name, member, remark in ROW.findall(DOCUMENT.read_text(encoding="utf-8"))}


def test_the_table_has_every_member_of_the_installed_release() -> None:
    listed = [match.group() for match in ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))]
    expected = rows(remarks())
    assert listed == expected, "docs/transformers.md is to have these rows:\n" + "\n".join(expected)


def test_every_remark_is_a_yes_or_says_why() -> None:
    for key, remark in remarks().items():
        assert remark == "yes" or re.match(r"(different|refused|not yet): .{20}", remark), f"{key}: {remark}"


@pytest.mark.parametrize("name", members())
def test_what_the_table_affirms_is_there(name: str) -> None:
    kind = getattr(masklet, name)
    affirmed = [member for member in members()[name] if remarks().get((name, member)) == "yes"]
    for member in affirmed:
        method, is_method, arguments = member.partition("(")
        if issubclass(kind, Config) and not is_method:
            assert kind.knows(method), f"{name} has no field {method}"
            continue
        ours = getattr(kind, method)
        if arguments == ")" or not callable(ours):
            continue
        accepted = inspect.signature(ours).parameters
        takes_any = any(each.kind is each.VAR_KEYWORD for each in accepted.values())
        missing = [each for each in arguments.rstrip(")").split(", ") if each not in accepted]
        assert takes_any or not missing, f"{name}.{method} does not take {missing}"
