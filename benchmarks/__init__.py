"""Measurements that compare Steward with what one would otherwise use, on one machine in one run.

Each module is a program: `python -m benchmarks.turn`. Nothing here is part of the installed package, and
nothing here decides whether a test passes: figures depend on the machine, so the reports give ratios.
"""
