"""Runs notebooks without jupyter: `python -m tests.documents.notebooks` renews the outputs of all in `examples`."""

import ast
import base64
import contextlib
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
JPEG_QUALITY = 80


def code_cells(notebook: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def outputs_of(cell: dict[str, Any], namespace: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Run a cell, and return what it printed and what its last line is, as jupyter shows them."""
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), namespace)
    outputs: list[dict[str, Any]] = []
    if text := printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)})
    if value is not None:
        data = {"image/jpeg": jpeg(value)} if isinstance(value, Image.Image) else {"text/plain": [repr(value)]}
        outputs.append({"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    return outputs


def jpeg(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=JPEG_QUALITY)
    return base64.b64encode(file.getvalue()).decode()


def texts(outputs: list[dict[str, Any]]) -> list[str]:
    """What the outputs of a cell say, without images."""
    found = [output.get("text") or output["data"].get("text/plain", []) for output in outputs]
    return ["".join(lines) for lines in found if lines]


def images(outputs: list[dict[str, Any]]) -> list[Image.Image]:
    shown = [output["data"]["image/jpeg"] for output in outputs if "image/jpeg" in output.get("data", {})]
    return [Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB") for data in shown]


def renew(notebook: Path) -> None:
    """Run all cells in order and keep what they show."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        cell["outputs"], cell["execution_count"] = outputs_of(cell, namespace, number), number
    notebook.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for each in NOTEBOOKS:
        renew(each)
