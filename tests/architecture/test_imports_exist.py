"""Every import of our own names a file that is there, and something that this file holds."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = {name: ROOT / name for name in ("tests", "benchmarks", "examples", "rendering")} | {
    "masklet": ROOT / "src" / "masklet"
}


def place_of(module: str) -> Path | None:
    """The file of a module, or the folder of a package; None if there is none."""
    top, *parts = module.split(".")
    path = FOLDERS[top].joinpath(*parts)
    return next((each for each in (path.with_suffix(".py"), path) if each.exists()), None)


@cache
def names_in(path: Path) -> frozenset[str]:
    """What can be imported from a file or folder; where names are looked up when they are used, all that it lists."""
    file = path / "__init__.py" if path.is_dir() else path
    names = {each.stem for each in path.iterdir()} if path.is_dir() else set()
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.exists() else ast.Module([], [])
    names.update(_bound(tree.body))
    if "__getattr__" in names:
        names.update(
            each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )
    return frozenset(names)


def _bound(statements: list[ast.stmt]) -> Iterator[str]:
    """The names that statements bind, those under conditions, too."""
    for each in statements:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield each.name
        elif isinstance(each, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in each.names)
        else:
            yield from (
                name.id for name in ast.walk(each) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            )
            yield from _bound([inner for inner in ast.iter_child_nodes(each) if isinstance(inner, ast.stmt)])


def missing(path: Path) -> Iterator[str]:
    """What a file imports of our own and is not there."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        wanted = [(alias.name, None) for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            wanted = [(node.module, alias.name) for alias in node.names]
        for module, name in wanted:
            if module.partition(".")[0] in FOLDERS:
                place = place_of(module)
                if place is None or (name is not None and name not in names_in(place)):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}: {module}{'' if name is None else f' has no {name}'}"


def test_every_import_of_our_own_exists() -> None:
    files = [path for folder in FOLDERS.values() for path in folder.rglob("*.py")]
    assert len(files) > 500
    assert [each for path in files for each in missing(path)] == []


def test_what_is_not_there_is_noticed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    program = tmp_path / "program.py"
    program.write_text(
        "import masklet.nowhere\n"
        "from masklet.errors import InvalidInputError, NoSuchError\n"
        "from masklet import ImageSegmenter, VideoSegmenter, errors\n"
        "def late():\n    from tests.support.nowhere import clip_of\n",
        encoding="utf-8",
    )
    assert [each.partition(": ")[2] for each in missing(program)] == [
        "masklet.nowhere",
        "masklet.errors has no NoSuchError",
        "masklet has no VideoSegmenter",
        "tests.support.nowhere has no clip_of",
    ]
