"""Who may import whom, read from the source files without running them."""

import ast
from pathlib import Path

from tests.architecture.imports import (
    FACADES,
    FILES,
    PACKAGE,
    foreign_imports,
    imported,
    layer_of,
    name_of,
)

# From the bottom up: each imports only from those before it, and from itself.
LAYERS = (
    "errors",
    "environment",
    "closing",
    "file_locks",
    "atomic_files",
    "folders",
    "json_files",
    "whole_numbers",
    "arrays",
    "committed_folder",
    "masks",
    "prompts",
    "sources",
    "hub_uploads",
    "configuration",
    "devices",
    "transfers",
    "checkpoints",
    "modeling",
    "runtimes",
    "tracking",
    "media",
    "processing",
    "automask",
    "formats",
    "integrations",
    "predictors",
    "export",
    "jobs",
    "datasets",
    "evaluation",
    "training",
    "server",
    "cli",
)
NEVER = {"transformers", "sam2", "torchvision", "scipy"}
IMPURE_MODULES = {"os", "io", "pathlib", "shutil", "tempfile", "sys", "time", "logging", "random"}


def offenders(found: dict[Path, set[str]]) -> dict[str, set[str]]:
    """The files for which something was found, by their names."""
    return {name_of(path): names for path, names in found.items() if names}


def own_imports(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("masklet.")}


def calls_by_name(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def calls_of_attributes(path: Path) -> set[str]:
    """The last names of what a file calls by a dotted name, and of `walk` and the like that it imports by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {each.attr for each in calls if isinstance(each, ast.Attribute)} | names


def dotted_calls(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}


def test_every_file_belongs_to_a_layer() -> None:
    assert {layer_of(path) for path in FILES} == set(LAYERS)


def test_imports_come_from_below() -> None:
    allowed = {layer: set(LAYERS[: index + 1]) for index, layer in enumerate(LAYERS)}
    allowed["cli"] |= {"__version__"}
    assert offenders({path: own_imports(path) - allowed[layer_of(path)] for path in FILES}) == {}


def test_network_and_files_do_not_meet() -> None:
    strangers = {"modeling": {"media"}, "media": {"modeling"}}
    assert offenders({path: own_imports(path) & strangers.get(layer_of(path), set()) for path in FILES}) == {}


def test_no_other_implementation_is_imported() -> None:
    everything = [*FILES, *(PACKAGE / name for name in FACADES)]
    assert offenders({path: foreign_imports(path) & NEVER for path in everything}) == {}


def test_the_network_is_pure() -> None:
    """Tensors in, tensors out: of Python nothing that reads, writes, prints or waits."""
    network = [path for path in FILES if layer_of(path) == "modeling"]
    assert offenders({path: foreign_imports(path) & IMPURE_MODULES for path in network}) == {}
    assert offenders({path: calls_by_name(path) & {"print", "open", "input"} for path in network}) == {}


def test_folders_are_listed_at_one_place() -> None:
    """What lists a folder by itself would meet `.DS_Store`, `.ipynb_checkpoints` and `@eaDir` as if they were data."""
    listings = {"iterdir", "glob", "iglob", "rglob", "walk", "listdir", "scandir", "fwalk"}
    # The latter look for their own files: unfinished ones, which are hidden, and those that no commit names any more.
    exceptions = {"folders.py", "atomic_files.py", "committed_folder.py"}
    found = {path: calls_of_attributes(path) & listings for path in FILES}
    assert offenders(found).keys() == exceptions


def test_image_files_are_opened_at_one_place() -> None:
    """What opens one by itself would not know the limit on its pixels, nor which errors a broken file gives."""
    openings = {"Image.open", "cv2.imread", "cv2.imreadmulti", "cv2.imdecode", "cv2.imdecodemulti"}
    found = {path: dotted_calls(path) & openings for path in FILES}
    behind_it = {
        f"{name}.py": {"cv2.imdecode"} for name in ("media/images", "datasets/scenes/bank", "datasets/scenes/cutouts")
    }
    of_its_own = {"datasets/scenes/finish.py": {"cv2.imdecode"}}  # a JPEG that it has just encoded
    assert offenders(found) == {"media/image_files.py": {"Image.open"}} | behind_it | of_its_own


def test_what_stands_on_a_runtime_knows_no_network() -> None:
    """Of `modeling` it takes values only; the class of the public API that is network and tracker is the exception."""
    values = {"object_memory", "outputs", "values"}
    above = [path for path in FILES if layer_of(path) in ("tracking", "automask", "predictors", "jobs")]
    found = {
        path: {name.split(".")[2] for name in imported(path) if name.startswith("masklet.modeling.")} - values
        for path in above
    }
    assert offenders(found) == {"tracking/video_model.py": {"video_network"}}
