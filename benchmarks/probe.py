"""The machine's speed at this moment: what a matrix product reaches.

Shared machines change their speed by a factor of two for minutes; a time means something only beside such a number.
"""

import time

import torch


def matrix_product_gflops(size: int = 2048, repeats: int = 3) -> float:
    """The best GFLOP/s of a few float32 matrix products of `size` x `size`."""
    left, right = torch.rand(size, size), torch.rand(size, size)
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9
