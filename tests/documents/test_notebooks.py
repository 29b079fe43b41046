"""The notebooks run without jupyter and the network, and show what is saved in them."""

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.documents.markdown import ROOT
from tests.documents.notebooks import NOTEBOOKS, code_cells, images, outputs_of, texts

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
RENEW = "python -m tests.documents.notebooks"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_cells_show_what_is_saved(notebook: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(code_cells(notebook), start=1):
        shown, saved = outputs_of(cell, namespace, number), cell["outputs"]
        for text, saved_text in zip(texts(shown), texts(saved), strict=True):
            assert NUMBER.sub("#", text) == NUMBER.sub("#", saved_text), f"cell {number}; {RENEW} renews it"
            numbers, saved_numbers = (list(map(float, NUMBER.findall(each))) for each in (text, saved_text))
            assert numbers == pytest.approx(saved_numbers, rel=0.05, abs=0.02), f"cell {number}; {RENEW} renews it"
        for image, saved_image in zip(images(shown), images(saved), strict=True):
            assert image.size == saved_image.size
            difference = np.abs(np.subtract(image, saved_image, dtype=float)).mean()
            assert difference < 2, f"The image of cell {number} is another one; {RENEW} renews it"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_small_executed_and_of_no_machine(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    assert [cell["execution_count"] for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    assert any(images(cell["outputs"]) for cell in code_cells(notebook))
    assert str(Path.home()) not in text
    assert str(ROOT) not in text


def test_there_is_a_notebook() -> None:
    assert [path.name for path in NOTEBOOKS] == ["hugging_face.ipynb"]
