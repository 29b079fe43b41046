"""What the files of the package import, read from their source without running them."""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import masklet

PACKAGE = Path(masklet.__file__).parent
# The package itself: names looked up when they are first used, and the way in from the shell.
FACADES = ("__init__.py", "__main__.py")
FILES = sorted(path for path in PACKAGE.rglob("*.py") if str(path.relative_to(PACKAGE)) not in FACADES)
STANDARD_LIBRARY = set(sys.stdlib_module_names)

Graph = Mapping[str, set[str]]
Circle = frozenset[str]


def name_of(path: Path) -> str:
    """The name of a file within the package: "tracking/session.py"."""
    return path.relative_to(PACKAGE).as_posix()


def layer_of(path: Path) -> str:
    """The file or folder of the package that a file is, or lies in: "errors", "tracking"."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """Dotted names of everything a file imports, at any depth: "masklet.masks.geometry.Mask", "numpy"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def foreign_imports(path: Path) -> set[str]:
    """The libraries that a file imports, of Python's own and of others."""
    return {name.split(".")[0] for name in imported(path)} - {"masklet"}


def file_graph() -> dict[str, set[str]]:
    """The files that each file imports; a package stands for its `__init__.py`."""
    modules = {_module(path): name_of(path) for path in FILES}
    graph = {}
    for path in FILES:
        candidates = ((name, name.rpartition(".")[0]) for name in imported(path))
        found = (next((modules[each] for each in pair if each in modules), None) for pair in candidates)
        graph[name_of(path)] = {each for each in found if each is not None}
    return graph


def folder_graphs(files: Graph) -> dict[str, dict[str, set[str]]]:
    """For each folder, which files and folders directly in it import which others, by what lies in these."""
    graphs: dict[str, dict[str, set[str]]] = {}
    for name, others in files.items():
        for other in others:
            here, there = Path(name).parts, Path(other).parts
            shared = next((at for at, pair in enumerate(zip(here, there, strict=False)) if len(set(pair)) > 1), None)
            if shared is not None:
                graph = graphs.setdefault("/".join(here[:shared]), {})
                graph.setdefault(here[shared], set()).add(there[shared])
    return graphs


def circles(graph: Graph) -> set[Circle]:
    """The largest groups, of two or more, in which everything leads to everything else."""
    reached = {each: _reached(graph, each) for each in graph}
    groups = {frozenset(other for other in reached[each] if each in reached.get(other, ())) for each in graph}
    return {group for group in groups if len(group) > 1}


def _reached(graph: Graph, start: str) -> set[str]:
    found: set[str] = set()
    left = [start]
    while left:
        new = graph.get(left.pop(), set()) - found
        found |= new
        left += new
    return found


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(("masklet", *(part for part in parts if part != "__init__")))
