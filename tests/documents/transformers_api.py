"""The public classes, methods and arguments of SAM 2 in the installed transformers, read from its source files."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("sam2", "sam2_video")
# Written by transformers' tools out of the files whose names begin with "modular"; those say nothing else.
LEFT_OUT = ("modular_", "convert_", "__init__")


def members() -> dict[str, list[str]]:
    """Members by class: fields of configurations as "field", methods as "method(argument, argument)".

    Of a class that both folders have (`Sam2VideoProcessor` has but one) all members are listed once.
    """
    found: dict[str, list[str]] = {}
    for name, node in _public_classes():
        if name.endswith("Output"):
            continue
        known = found.setdefault(name, [])
        known += [each for each in _members_of(name, node) if each not in known]
    return dict(sorted(found.items()))


def _public_classes() -> Iterator[tuple[str, ast.ClassDef]]:
    package = importlib.util.find_spec("transformers")
    assert package is not None
    assert package.origin is not None
    for folder in FOLDERS:
        for path in sorted((Path(package.origin).parent / "models" / folder).glob("*.py")):
            if not path.name.startswith(LEFT_OUT):
                tree = ast.parse(path.read_text(encoding="utf-8"))
                public = _public_names(tree)
                classes = (each for each in tree.body if isinstance(each, ast.ClassDef))
                yield from ((each.name, each) for each in classes if each.name in public)


def _public_names(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def _members_of(name: str, node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and name.endswith("Config"):
            yield each.target.id
        if isinstance(each, ast.FunctionDef) and (
            not each.name.startswith("_") or each.name in ("__init__", "__call__")
        ):
            arguments = [argument.arg for argument in (*each.args.args, *each.args.kwonlyargs)]
            yield f"{each.name}({', '.join(argument for argument in arguments if argument not in ('self', 'cls'))})"


def rows(remarks: dict[tuple[str, str], str]) -> list[str]:
    """The lines of the table in docs/transformers.md; a member without a remark is "yes"."""
    return [
        f"| `{name}` | `{member}` | {remarks.get((name, member), 'yes')} |"
        for name, listed in members().items()
        for member in listed or ["(no member of its own)"]
    ]
