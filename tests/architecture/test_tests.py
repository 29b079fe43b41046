"""What tests share stands in tests/support."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = sorted(TESTS.rglob("test_*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(TESTS).as_posix())
def test_no_test_imports_from_another(file: Path) -> None:
    imports = (
        each for each in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(each, ast.ImportFrom)
    )
    modules = [f"{each.module}.{name.name}" for each in imports for name in each.names if each.module]
    assert [each for each in modules if each.startswith("tests.") and ".test_" in each] == []
