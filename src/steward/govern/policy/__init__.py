"""Policies as data: which controls there are, what each means, and how one is shown to be at work.

Comes in: the names that a folder's risks give as what lowers them. Goes out: for each what a live probe
found and what its tests said, in sentences. A control that nobody has shown at work lowers nothing. Knows no
folder and no release: what a probe looks at is given to it by those who wire it.
"""
