import sys
from pathlib import Path

# The benchmarks aren't part of the installed package: they are imported from the repository's root.
sys.path.insert(0, str(Path(__file__).parents[3]))
