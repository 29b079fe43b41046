"""The reference implementations with equal random weights: oracles of `tests/parity`, opponents of the benchmarks.

Nothing here is imported by the masklet package. The versions and how to install them stand in the Makefile.
"""
