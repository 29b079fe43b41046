"""Which layer may use which library of others; a new one is an entry here, in the layer that stands for it."""

from tests.architecture.imports import FILES, STANDARD_LIBRARY, foreign_imports, layer_of, name_of

ALLOWED = {
    "errors": set(),
    "environment": set(),
    "closing": set(),
    "file_locks": set(),
    "atomic_files": set(),
    "folders": set(),
    "json_files": set(),
    "whole_numbers": set(),
    "arrays": {"numpy", "torch"},
    "committed_folder": set(),
    "masks": {"numpy", "torch", "cv2", "pycocotools", "supervision"},
    "prompts": {"numpy", "torch"},
    "devices": {"torch"},
    "transfers": {"torch"},
    "sources": {"huggingface_hub"},
    "hub_uploads": {"huggingface_hub"},
    "configuration": set(),
    "checkpoints": {"torch", "safetensors", "huggingface_hub"},
    "modeling": {"torch"},
    "runtimes": {"torch", "onnxruntime", "openvino"},
    "tracking": {"torch", "safetensors"},
    "media": {"numpy", "cv2", "PIL", "av", "tifffile"},
    "processing": {"numpy", "torch", "PIL"},
    "automask": {"numpy", "torch"},
    "formats": {"numpy", "pyarrow"},
    "integrations": {"fiftyone", "napari"},
    "predictors": {"numpy", "torch"},
    "export": {"numpy", "torch", "onnx", "onnxscript", "onnxruntime"},
    "jobs": {"torch", "cv2", "PIL", "ray"},  # threads of worker processes; images that are drawn on
    "datasets": {"numpy", "cv2", "PIL"},
    "evaluation": {"numpy", "cv2", "PIL", "pycocotools"},
    "training": {"numpy", "torch", "cv2", "PIL", "safetensors", "lightning_fabric", "peft"},
    "server": {"fastapi", "starlette", "pydantic", "uvicorn", "numpy", "torch", "PIL", "cvat_sdk"},
    "cli": {"torch", "huggingface_hub", "typer", "rich"},
}
# The method of transformers shows a bar when it is asked to (`show_progress_bar`); uvicorn reads headers by h11, which
# knows whether they are complete.
OF_ONE_FILE = {"tracking/video_model.py": {"rich"}, "server/http_protocol.py": {"h11"}}
NEVER_IN_JOBS = {"signal", "rich", "typer"}
OF_OWN_PROCESSES = {
    "jobs/worker_processes.py": {"signal"}
}  # jobs run in any thread, but processes of a pool are its own


def test_each_layer_uses_its_own_libraries_only() -> None:
    used: dict[str, set[str]] = {layer_of(path): set() for path in FILES}
    for path in FILES:
        used[layer_of(path)] |= foreign_imports(path) - STANDARD_LIBRARY - OF_ONE_FILE.get(name_of(path), set())
    assert used == ALLOWED


def test_exceptions_are_needed() -> None:
    needed = {name_of(path): foreign_imports(path) for path in FILES if name_of(path) in OF_ONE_FILE}
    assert {name: libraries & needed[name] for name, libraries in OF_ONE_FILE.items()} == OF_ONE_FILE


def test_jobs_run_in_any_thread_and_draw_nothing() -> None:
    found = {name_of(path): foreign_imports(path) & NEVER_IN_JOBS for path in FILES if layer_of(path) == "jobs"}
    assert found
    assert {name: libraries for name, libraries in found.items() if libraries} == OF_OWN_PROCESSES
