"""The Python of the documents runs, block after block, as a reader would type it."""

import ast
import importlib
from pathlib import Path

import pytest
from tests.documents.markdown import DOCUMENTS, blocks, name_of

WITH_PYTHON = [document for document in DOCUMENTS if blocks(document, "python")]
PUBLIC_FOLDERS = {"masklet.datasets.scenes"}


@pytest.mark.parametrize("document", WITH_PYTHON, ids=name_of)
def test_examples_run(document: Path, readers_folder: Path, request: pytest.FixtureRequest) -> None:
    if document.name == "export.md":
        request.getfixturevalue("graphs_folder")
    namespace: dict[str, object] = {"__name__": name_of(document)}
    for block in blocks(document, "python"):
        # Blank lines in front, so that a traceback shows the line of the document.
        source = "\n" * (block.line - 1) + block.text
        exec(compile(source, str(document), "exec"), namespace)


@pytest.mark.parametrize("document", WITH_PYTHON, ids=name_of)
def test_examples_import_names_that_exist(document: Path) -> None:
    for block in blocks(document, "python"):
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("masklet"):
                module = importlib.import_module(node.module or "")
                missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                assert not missing, f"{name_of(document)}, line {block.line}: {node.module} has no {missing}"


def test_the_readme_has_examples() -> None:
    assert "README.md" in map(name_of, WITH_PYTHON)


@pytest.mark.parametrize("document", WITH_PYTHON, ids=name_of)
def test_examples_import_from_the_package_itself(document: Path) -> None:
    """A file of masklet can be moved without breaking what readers copied; a folder is public as such."""
    for block in blocks(document, "python"):
        modules = [node.module or "" for node in ast.walk(ast.parse(block.text)) if isinstance(node, ast.ImportFrom)]
        assert {module for module in modules if module.startswith("masklet.")} <= PUBLIC_FOLDERS, name_of(document)
