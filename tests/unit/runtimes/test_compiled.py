"""Compiled parts: no graph but the first ones, and the numbers of the network as it is."""

import copy
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import torch
import torch.fx.experimental._config as symbolic_shapes
from tests.support.small_models import small_model
from tests.support.small_video_models import small_video_model
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from masklet import Sam2VideoInferenceSession, Sam2VideoModel
from masklet.errors import InvalidInputError
from masklet.export.onnx_files import check_exporter
from masklet.modeling.object_memory import ObjectMemory
from masklet.runtimes import compiled as compiled_runtime
from masklet.runtimes.compiled import (
    MOST_STEADY,
    OFTEN,
    CompiledDecoder,
    CompiledForward,
    can_compile,
    compiled_network,
)
from masklet.runtimes.protocol import MOST_DECODED

SIZE, FRAMES = 64, 7
PARTS = 4  # backbone, memory attention, mask decoder, memory encoder
# A bank that is soon full.
SMALL = {
    "image_size": SIZE,
    "num_maskmem": 3,
    "max_object_pointers_in_encoder": 4,
    "memory_attention_num_layers": 1,
}


class Graphs:
    """A backend that runs what it is given as it is, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, graph: Any, inputs: list[Tensor]) -> Any:
        self.count += 1
        return graph.forward


class CudaGraphs(Graphs):
    """A backend whose graphs of fixed sizes behave as CUDA graphs do: whatever runs next overwrites what they gave."""

    def __init__(self) -> None:
        super().__init__()
        self.fixed: list[list[Tensor]] = []  # what each of them gives
        self.replays = self.steps = 0

    def begin_step(self) -> None:
        self.steps += 1

    def __call__(self, graph: Any, inputs: list[Any]) -> Any:
        forward = super().__call__(graph, inputs)
        if not all(isinstance(each, Tensor) and all(type(side) is int for side in each.shape) for each in inputs):
            return forward
        own: list[Tensor] = []
        self.fixed.append(own)

        def replay(*arguments: Tensor) -> list[Tensor]:
            results = forward(*arguments)
            self.replays += 1
            assert self.steps == self.replays, "torch keeps the results of one step"
            for each in self.fixed:
                for given in each:
                    given.fill_(torch.nan)
            if not own:
                own.extend(map(torch.empty_like, results))
            for given, result in zip(own, results, strict=True):
                given.copy_(result)
            return own

        return replay


@pytest.fixture
def cuda_graphs(monkeypatch: pytest.MonkeyPatch) -> CudaGraphs:
    """The processor taken for a GPU."""
    torch._dynamo.reset()
    monkeypatch.setattr(compiled_runtime, "HAVE_CUDA_GRAPHS", ("cpu",))
    backend = CudaGraphs()
    monkeypatch.setattr(torch.compiler, "cudagraph_mark_step_begin", backend.begin_step)
    return backend


def tracked(model: Sam2VideoModel, objects: int, clicks: int, **said: Any) -> Tensor:
    """Logits [frames, objects, 1, h, w] of a video in which all objects are prompted, and one is corrected later."""
    generator = torch.Generator().manual_seed(objects)
    video = torch.randn(FRAMES, 3, SIZE, SIZE, generator=generator).to(model.dtype)
    session = Sam2VideoInferenceSession(video, 30, 50, dtype=model.dtype, inference_device=model.device)
    points = torch.rand(objects, clicks, 2, generator=generator) * SIZE
    for number in range(objects):
        if "mask" in said:
            session.add_mask(number + 1, 0, said["mask"])
        else:
            session.add_points(number + 1, 0, points[number], [1] * clicks, **said)
    once = [output.pred_masks for output in model.propagate_in_video_iterator(session)]
    session.add_points(objects, 4, points[0], [0, *[1] * (clicks - 1)])
    again = [output.pred_masks for output in model.propagate_in_video_iterator(session, 4)]
    return torch.stack([*once, *again])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_first_graphs_serve_all_objects_prompts_and_memories(dtype: torch.dtype) -> None:
    torch._dynamo.reset()
    plain, graphs = small_video_model(**SMALL).to(dtype), Graphs()
    compiled = copy.deepcopy(plain)
    assert compiled_network(compiled, graphs) is compiled
    mask = torch.zeros(SIZE, SIZE)
    mask[20:50, 10:40] = 1
    tracked(compiled, 1, clicks=1)
    assert graphs.count == PARTS  # none is in pieces
    tracked(compiled, 2, clicks=2)
    # The decoder has one more for several objects, and in bfloat16 torch's convolutions of the memory encoder, too.
    assert graphs.count == PARTS + (1 if dtype == torch.float32 else 2)
    first_graphs = graphs.count
    cases: list[tuple[int, int, dict[str, Any]]] = [
        (1, 3, {}),
        (5, 8, {}),
        (15, 3, {"box": [2, 3, 40, 50]}),
        (3, 4, {"mask": mask}),
    ]
    for objects, clicks, said in cases if dtype == torch.float32 else cases[1:3]:
        result = tracked(compiled, objects, clicks, **said)
        assert graphs.count == first_graphs, (objects, clicks, said)
        if dtype == torch.float32:
            torch.testing.assert_close(result, tracked(plain, objects, clicks, **said), rtol=1e-4, atol=1e-4)
        else:
            assert result.isfinite().all()
    if dtype == torch.float32:  # before any prompt no pointers are attended to, which is a graph of its own
        start = {"start_frame_idx": 2, "max_frame_num_to_track": 1}
        session = Sam2VideoInferenceSession(torch.zeros(6, 3, SIZE, SIZE), 30, 50)
        session.add_points(1, 5, [[20, 30]], [1])
        assert len(list(compiled.propagate_in_video_iterator(session, **start))) == 2
        assert graphs.count <= first_graphs + 1
    assert not symbolic_shapes.backed_size_oblivious  # other programs compile as they did


def test_images_take_three_graphs_and_some_objects_at_a_time() -> None:
    torch._dynamo.reset()
    plain, graphs, calls = small_model(SIZE).eval(), Graphs(), []
    compiled = copy.deepcopy(plain)
    compiled_network(compiled, graphs)
    decoder: Any = compiled.mask_decoder.forward
    run = decoder._compiled
    decoder._compiled = lambda part, image, *others: calls.append(len(image)) or run(part, image, *others)
    pixels, generator = torch.randn(1, 3, SIZE, SIZE), torch.Generator().manual_seed(0)
    for objects in (1, 2, 5, 2 * MOST_DECODED + 1):
        points, labels = torch.rand(objects, 2, 2, generator=generator) * SIZE, torch.ones(objects, 2, dtype=torch.long)
        masks = torch.randn(objects, SIZE // 4, SIZE // 4, generator=generator)
        for mask_logits in (None, masks):
            results = []
            for model in (plain, compiled):
                with torch.inference_mode():
                    features = model.without_memory(model.encode_image(pixels))
                    results.append(model.decode(features, points, labels, mask_logits))
            torch.testing.assert_close(*results, rtol=1e-4, atol=1e-4)
    assert graphs.count == 3, "the backbone, and the decoder for one object and for several"
    assert calls == [1, 1, 2, 2, 5, 5, *[MOST_DECODED, MOST_DECODED, 1] * 2]


def test_objects_on_a_gpu_are_no_more_than_one_launch_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attention that is cut into launches is of a fixed number of objects; tensors of "meta" stand for a GPU's."""
    model, calls = small_model(SIZE).eval().to("meta"), []
    decoder = CompiledDecoder(model.mask_decoder, lambda *arguments: [], "eager")
    run = type(model.mask_decoder).forward
    decoder._compiled = lambda part, image, *others: calls.append(len(image)) or run(part, image, *others)
    model.mask_decoder.forward = decoder
    most = 4
    heads = model.config.mask_decoder_config.num_attention_heads
    monkeypatch.setattr(compiled_runtime, "MOST_LAUNCHED", (most + 1) * heads - 1)
    with torch.inference_mode():
        features = model.without_memory(model.encode_image(torch.zeros(1, 3, SIZE, SIZE, device="meta")))
        for objects in (most, 2 * most + 1):
            points = torch.zeros(objects, 2, 2, device="meta")
            outputs = model.decode(features, points, torch.ones(objects, 2, dtype=torch.long, device="meta"), None)
            assert len(outputs.logits) == objects
    assert calls == [most, most, most, 1]


def test_a_full_memory_bank_is_tracked_by_graphs_of_fixed_sizes(cuda_graphs: CudaGraphs) -> None:
    plain = small_video_model(**SMALL)
    compiled = copy.deepcopy(plain)
    compiled_network(compiled, cuda_graphs)
    video = torch.randn(30, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    logits: dict[Sam2VideoModel, list[Tensor]] = {plain: [], compiled: []}
    graphs, replays = [], []
    for model, kept in logits.items():
        session = Sam2VideoInferenceSession(video, 30, 50)
        for number in (1, 2):
            session.add_points(number, 0, [[10 * number, 20]], [1])
        for output in model.propagate_in_video_iterator(session):
            kept.append(output.pred_masks)
            graphs.append(cuda_graphs.count)
            replays.append(cuda_graphs.replays)
    torch.testing.assert_close(torch.stack(logits[compiled]), torch.stack(logits[plain]), rtol=1e-4, atol=1e-4)
    is_full = SMALL["num_maskmem"] + SMALL["max_object_pointers_in_encoder"] + OFTEN
    assert len(cuda_graphs.fixed) == PARTS
    assert len(set(graphs[30 + is_full :])) == 1, "nothing is compiled any more"
    assert replays[-1] - replays[-11] == 10 * PARTS
    assert cuda_graphs.count == PARTS + 3, "only of the backbone there is no graph of any size"


def memory_of(model: Sam2VideoModel, frames: int, pointers: int) -> ObjectMemory:
    """Memories of two objects."""
    zeros, config = partial(torch.zeros, device=model.device), model.config
    return ObjectMemory(
        features=zeros(2, frames, (SIZE // 16) ** 2, config.memory_encoder_output_channels),
        temporal_positions=zeros(2, frames, dtype=torch.long),
        pointers=zeros(2, pointers, config.memory_attention_hidden_size),
        times=zeros(2, pointers),
    )


def test_a_memory_bank_that_is_not_full_is_not_steady_however_many_views_there_are(cuda_graphs: CudaGraphs) -> None:
    model = small_video_model(**SMALL)
    compiled_network(model, cuda_graphs)
    for frames, pointers, fixed in [(2, 3, 0), (3, 3, 0), (2, 4, 0), (3, 4, 1), (4, 5, 2)]:
        with torch.inference_mode():
            for _ in range(OFTEN):
                model.condition(torch.zeros(1, 64, 4, 4), memory_of(model, frames, pointers))
        assert len(cuda_graphs.fixed) == fixed, (frames, pointers)


class Doubled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


def doubled(backend: CudaGraphs) -> CompiledForward:
    return CompiledForward(Doubled(), lambda x: [(x, [0])], backend)


def run(part: CompiledForward, *sizes: int, width: int = 3) -> None:
    with torch.inference_mode():
        results = [part(torch.full((size, width), float(size))) for size in sizes]
    for size, result in zip(sizes, results, strict=True):
        assert torch.equal(result, torch.full((size, width), 2.0 * size))


def test_few_sizes_that_come_again_and_again_get_graphs_of_their_own(cuda_graphs: CudaGraphs) -> None:
    part = doubled(cuda_graphs)
    run(part, *range(1, 17), *range(1, 17))
    assert (cuda_graphs.count, len(cuda_graphs.fixed)) == (1, 0)
    run(part, *[2, 5] * OFTEN)  # objects of two views
    assert (cuda_graphs.count, len(cuda_graphs.fixed)) == (3, 2)
    run(part, *(size for size in range(20, 28) for _ in range(OFTEN)), 2, 5)
    assert (cuda_graphs.count, len(cuda_graphs.fixed)) == (1 + MOST_STEADY, MOST_STEADY)


def test_networks_do_not_share_the_number_of_graphs_that_torch_keeps(cuda_graphs: CudaGraphs) -> None:
    for networks in range(1, 5):
        part = doubled(cuda_graphs)
        run(part, *(size for size in (2, 3, 4, 5) for _ in range(OFTEN)), width=networks)
        assert (cuda_graphs.count, len(cuda_graphs.fixed)) == (networks * (1 + MOST_STEADY), networks * MOST_STEADY)


def test_gradients_and_other_threads_take_the_graph_of_any_size(cuda_graphs: CudaGraphs) -> None:
    part = doubled(cuda_graphs)
    for _ in range(OFTEN):
        part(torch.ones(4, 3))
    with ThreadPoolExecutor(1) as thread:
        thread.submit(run, part, *[4] * OFTEN).result()
    assert cuda_graphs.fixed == []
    run(part, *[4] * OFTEN)
    assert len(cuda_graphs.fixed) == 1


def test_graphs_of_fixed_sizes_hold_nothing_of_the_processor(
    cuda_graphs: CudaGraphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph in which something lies elsewhere cannot be recorded; tensors of "meta" stand for a GPU's."""
    monkeypatch.setattr(compiled_runtime, "HAVE_CUDA_GRAPHS", ("meta",))
    devices: list[set[str]] = []

    def note(graph: Any, inputs: list[Tensor]) -> Any:
        values = tree_leaves([node.meta.get("example_value") for node in graph.graph.nodes])
        devices.append({each.device.type for each in values if isinstance(each, Tensor)})
        return cuda_graphs(graph, inputs)

    model = small_video_model(**SMALL).to("meta")
    compiled_network(model, note)
    with torch.inference_mode():
        for _ in range(OFTEN):
            image = model.encode_image(torch.zeros(1, 3, SIZE, SIZE, device="meta"))
            outputs = model.decode(image.conditioned(model.condition(image.stride16, memory_of(model, 3, 4))))
            model.encode_memory(image.stride16, outputs.logits[:, 0], outputs.object_score, outputs.object_score > 0)
    assert len(cuda_graphs.fixed) == PARTS
    assert devices == [{"meta"}] * cuda_graphs.count


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # torch's compiler uses what torch itself has deprecated
def test_code_of_the_default_generator_gives_the_same_numbers() -> None:
    """Minutes of generating and compiling C++, or GPU code; no more of it for other objects, clicks and corrections."""
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    plain = small_video_model(**SMALL).to(device)
    compiled = copy.deepcopy(plain)
    compiled.compile_parts()
    graphs = []
    for objects, clicks in [(1, 1), (2, 1), (1, 3), (3, 2), (2, 5)]:
        expected = tracked(plain, objects, clicks)
        largest_difference = (tracked(compiled, objects, clicks) - expected).abs().max()
        assert largest_difference < 1e-4 * expected.abs().max() < 0.01  # logits, not the -1024 of absent objects
        graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
    assert graphs[0] == PARTS
    assert graphs[1] <= PARTS + 2  # of the decoder, and of the memory encoder where convolutions take another way
    assert graphs[2:] == 3 * graphs[1:2]


def test_a_copy_of_a_compiled_network_has_its_own_weights() -> None:
    network = small_video_model(**SMALL)
    network.compile_parts("eager")
    twin = copy.deepcopy(network)
    forward: Any = twin.memory_encoder.forward
    assert forward._part is twin.memory_encoder
    assert isinstance(forward._part, nn.Module)


def test_a_compiler_of_cpp_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Triton for GPUs; and with an older torch none helps."""
    monkeypatch.setenv("CXX", sys.executable)
    assert can_compile("cpu")
    monkeypatch.setattr(compiled_runtime, "find_spec", lambda name: None if name == "triton" else name)
    assert not can_compile("cuda:1")
    monkeypatch.setenv("CXX", "no such compiler")
    assert not can_compile("cpu")
    monkeypatch.setenv("CXX", sys.executable)
    monkeypatch.setattr(compiled_runtime, "symbolic_shapes", object())
    assert not can_compile("cpu")


def test_older_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_runtime, "symbolic_shapes", object())
    with pytest.raises(InvalidInputError, match=r"Compiling needs torch 2\.7 or later; this is torch"):
        small_video_model(**SMALL).compile_parts()
    with pytest.raises(InvalidInputError, match=r"Exporting needs torch 2\.7 or later; this is torch"):
        check_exporter()
