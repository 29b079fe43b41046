import json
import sys
from pathlib import Path

from vos_benchmark.benchmark import benchmark

folder = str(Path(sys.argv[1]))
score = benchmark([folder], [folder], strict=True, num_processes=1, verbose=False, skip_first_and_last=False)
print(json.dumps([float(each[0]) for each in score[:3]]))
