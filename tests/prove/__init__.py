"""The long campaigns: `python -m tests.prove [NAME …] [--seed N] [--resume]`, or `make prove`.

Each drives real processes over HTTP: a Steward that is killed, taken over and lied to, the company's
system that outlives it, and a simulated model. Chance comes from the seed alone. `tests/chaos` runs a
small seed of each. Figures go to `docs/proof/`.
"""
