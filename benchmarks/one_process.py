"""What a fresh process with one opponent costs; run by `images.py` as `python -m benchmarks.one_process ...`.

Arguments: the opponent's name, the folder of weights, a picture, and the time at which the process was started. Prints
JSON: seconds from the start to the loaded model and to the first full-resolution mask, and the process's peak memory
after that mask and after 64 prompts.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path


def fresh_process_costs(name: str, weights: Path, picture: Path) -> dict[str, float]:
    """Start the process and return what it printed."""
    arguments = [sys.executable, "-m", __name__, name, str(weights), str(picture), str(time.time())]
    # An installed package keeps its bytecode, as those of the other opponents do.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    result = subprocess.run(arguments, check=True, capture_output=True, text=True, env=environment)
    costs: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return costs


def seconds_to_import(module: str) -> float:
    """Wall time of `import module` in a fresh interpreter, without the interpreter's own start."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    name, weights, picture, started = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    import torch

    from benchmarks.opponents import OPPONENTS

    opponent = OPPONENTS[name](weights)
    costs = {"load_s": time.time() - started}
    with torch.inference_mode():
        opponent.segment_file(picture, (100, 100))
        costs["first_mask_s"] = time.time() - started
        costs["memory_first_mask_mib"] = peak_memory_mib()
        embeddings = opponent.encode(torch.zeros(1, 3, opponent.image_size, opponent.image_size))
        opponent.decode(embeddings, torch.rand(64, 2) * opponent.image_size)
        costs["memory_64_prompts_mib"] = peak_memory_mib()
    print(json.dumps(costs))


def peak_memory_mib() -> float:
    """The largest resident size of this process so far (Linux counts it in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
