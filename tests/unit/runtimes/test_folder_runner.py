"""What every runner of graphs does, whichever library computes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch

from masklet.errors import InvalidInputError, is_out_of_memory
from masklet.runtimes.folder_runner import Arrays, FolderRunner
from masklet.runtimes.manifest import GraphEntry, Manifest, TensorSpec, checksums
from masklet.runtimes.names import GraphName, Precision, RuntimeName, Target
from masklet.runtimes.openvino import MOST_AT_ONCE, Requests

POINTS = TensorSpec("points", "float32", ("objects", "points", 2))
LABELS = TensorSpec("labels", "int64", ("objects", "points"))


class Echo(FolderRunner):
    """Returns its inputs, unless it is given an error to raise; `opening` is called with each file."""

    name = RuntimeName.ONNXRUNTIME

    def __init__(self, folder: Path) -> None:
        entries = {}
        for name in ("decode", "condition"):
            (folder / name).write_text(name)
            entries[name] = GraphEntry(checksums([folder / name]), (POINTS, LABELS), (POINTS, LABELS), {})
        about: dict[str, Any] = {
            "axes": {},
            "graphs": entries,
            "settings": {},
            "no_memory": (),
            "no_object_pointer": (),
        }
        sizes: dict[str, Any] = {"opset": 18, "image_size": 96, "image_mean": (), "image_std": ()}
        super().__init__(folder, Manifest("model", "0", Target.ONNX, Precision.FLOAT32, **sizes, **about))
        self.error: Exception | None = None
        self.opening: Any = lambda path: path

    def _open(self, path: Path) -> Any:
        return self.opening(path)

    def _outputs(self, opened: Any, arrays: Arrays) -> Sequence[Any]:
        if self.error is not None:
            raise self.error
        return list(arrays.values())


@pytest.fixture
def runner(tmp_path: Path) -> Echo:
    return Echo(tmp_path)


def inputs(*shapes: Sequence[int]) -> list[torch.Tensor]:
    return [torch.ones(*shape) for shape in shapes]


def test_axes_have_any_size_and_numbers_the_type_of_the_graph(runner: Echo) -> None:
    for objects, points in ((1, 1), (3, 2), (0, 1)):
        found = runner.run("decode", inputs((objects, points, 2), (objects, points)))
        assert [each.shape for each in found] == [(objects, points, 2), (objects, points)]
        assert [each.dtype for each in found] == [torch.float32, torch.int64]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 1, 3), (2, 1)], r"points has the shape \[2, 1, 3\]; the graph 'decode' takes \[2, 1, 2\]"),
        ([(2, 1, 2), (3, 1)], r"labels has the shape \[3, 1\]; the graph 'decode' takes \[2, 1\]"),
        ([(2, 2), (2, 1)], r"points has the shape \[2, 2\]; the graph 'decode' takes \[objects, points, 2\]"),
    ],
)
def test_other_shapes_are_refused(runner: Echo, shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        runner.run("decode", inputs(*shapes))


def test_a_graph_that_fails_is_named_and_too_little_memory_is_told_apart(runner: Echo) -> None:
    given = inputs((1, 1, 2), (1, 1))
    for message, is_memory in (("Failed to allocate memory for requested buffer", True), ("Invalid node", False)):
        runner.error = Exception(message)
        with pytest.raises(
            (MemoryError, RuntimeError), match=f"onnxruntime cannot run the graph 'decode': {message}"
        ) as found:
            runner.run(GraphName.DECODE, given)
        assert is_out_of_memory(found.value) is is_memory


def test_an_open_graph_does_not_wait_for_one_that_is_being_opened(runner: Echo) -> None:
    given = inputs((1, 1, 2), (1, 1))
    runner.run("decode", given)
    is_opening, may_open = Event(), Event()
    runner.opening = lambda path: (is_opening.set(), may_open.wait(30))
    with ThreadPoolExecutor(2) as threads:
        try:
            slow = threads.submit(runner.run, "condition", given)
            assert is_opening.wait(30)
            threads.submit(runner.run, "decode", given).result(timeout=30)
            assert not slow.done()
        finally:
            may_open.set()


class Compiled:
    """Counts the infer requests that are made of it."""

    def __init__(self) -> None:
        self.made = 0

    def create_infer_request(self) -> int:
        self.made += 1
        return self.made


def test_many_threads_share_few_infer_requests() -> None:
    compiled = Compiled()
    requests = Requests(compiled)
    for _ in range(5):  # threads one after the other
        with requests.one():
            pass
    assert compiled.made == 1
    lent: list[int] = []

    def borrow(_: int) -> None:
        with requests.one() as request:
            lent.append(request)
            assert len(lent) <= MOST_AT_ONCE
            lent.remove(request)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(borrow, range(40)))
    assert compiled.made <= MOST_AT_ONCE
