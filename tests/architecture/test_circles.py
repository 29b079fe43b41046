"""Files and folders can be read one after the other: no group of them in which each needs the others."""

from tests.architecture.imports import Circle, circles, file_graph, folder_graphs

# What is left to be cut, and has to leave this list when it is: a test fails for a circle that is not there any more.
KNOWN: set[Circle] = {
    frozenset({"processing/processor.py", "processing/video_processor.py"}),
}


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(file_graph()) == KNOWN


def test_no_neighbours_in_a_folder_import_each_other_in_a_circle() -> None:
    """The folders in a folder, by all that lies in them, and the files beside them."""
    known = {frozenset(each.rpartition("/")[2] for each in circle) for circle in KNOWN}
    found = {folder: circles(graph) - known for folder, graph in folder_graphs(file_graph()).items()}
    assert {folder: groups for folder, groups in found.items() if groups} == {}


def test_circles_are_found() -> None:
    files = {"a/x.py": {"b/y.py"}, "b/y.py": {"b/z.py"}, "b/z.py": {"b/y.py", "c.py"}, "b/w.py": {"a/x.py"}}
    assert circles(files) == {frozenset({"b/y.py", "b/z.py"})}
    graphs = folder_graphs(files)
    assert graphs == {"": {"a": {"b"}, "b": {"a", "c.py"}}, "b": {"y.py": {"z.py"}, "z.py": {"y.py"}}}
    assert circles(graphs[""]) == {frozenset({"a", "b"})}
