"""Moving traffic to a candidate release by evidence, and back by itself.

In go a candidate, a baseline and the plan of rollout.yaml; out come phases, verdicts and one changed
row of traffic. Every decision is in the ledger with the numbers that it stood on and can be computed
again from them. "Not enough evidence" is a verdict of its own and never promotes.
"""
