"""Files and folders can be read one after the other: no group of them in which each needs the others."""

from tests.architecture.imports import circles, file_graph, folder_graphs


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(file_graph()) == set()


def test_no_neighbours_in_a_folder_import_each_other_in_a_circle() -> None:
    """The folders in a folder, by all that lies in them, and the files beside them."""
    found = {folder: circles(graph) for folder, graph in folder_graphs(file_graph()).items()}
    assert {folder: groups for folder, groups in found.items() if groups} == {}


def test_circles_are_found() -> None:
    files = {"a/x.py": {"b/y.py"}, "b/y.py": {"b/z.py"}, "b/z.py": {"b/y.py", "c.py"}, "b/w.py": {"a/x.py"}}
    assert circles(files) == {frozenset({"b/y.py", "b/z.py"})}
    graphs = folder_graphs(files)
    assert graphs == {"": {"a": {"b"}, "b": {"a", "c.py"}}, "b": {"y.py": {"z.py"}, "z.py": {"y.py"}}}
    assert circles(graphs[""]) == {frozenset({"a", "b"})}
