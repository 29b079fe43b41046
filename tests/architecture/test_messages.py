"""What messages of errors name exists: an argument that they advise is a parameter of some public call."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.imports import FILES, name_of

ARGUMENT = re.compile(r"(?<![\w.{-])([a-z_][a-z0-9_]*)=(?!=)")

# What programs written for transformers give, which the messages name and refuse, or take in **options.
OF_TRANSFORMERS = {"device_map", "id2label", "preserve_rng_state", "every_n_layers", "offload"}


def raised_texts(path: Path) -> Iterator[str]:
    """Yield the texts of a file that are arguments of what is raised, or of a call that makes an error."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        is_error = isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Error", "Warning"))
        if is_error or isinstance(node, ast.Raise):
            for each in ast.walk(node):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value


def parameters_of_public_calls() -> set[str]:
    """The names of parameters of functions, and of fields of classes, whose names do not begin with _."""
    names: set[str] = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name == "__init__"):
                arguments = node.args
                names |= {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                fields = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
                names |= {each.id for each in fields if isinstance(each, ast.Name)}
    return names


def test_arguments_that_messages_advise_exist() -> None:
    known = parameters_of_public_calls()
    texts = ((name_of(path), text) for path in FILES for text in raised_texts(path))
    advised = {(file, name) for file, text in texts for name in ARGUMENT.findall(text)}
    assert {name for _, name in advised} >= {"clear_old_inputs", "image_size"}, "the search finds too little"
    assert {each for each in advised if each[1] not in known | OF_TRANSFORMERS} == set()


def test_the_search_sees_an_argument_that_does_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text('raise ValueError(f"Use clear_old_points=True, not {given!r}; a == b stays.")', encoding="utf-8")
    found = {name for text in raised_texts(file) for name in ARGUMENT.findall(text)}
    assert found == {"clear_old_points"}
    assert "clear_old_points" not in parameters_of_public_calls()
