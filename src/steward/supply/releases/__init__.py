"""Releases: an assistant folder frozen under an id that is the hash of everything that shapes it.

In goes a checked `Folder`; out comes a release that never changes, with the trained heads, vectors
and knowledge snapshot derived from it, each under a digest of its own. The same inputs give the
same id on every machine. Also holds which release an assistant serves, with a generation number
that only grows. Knows nothing of conversations or rollouts.
"""
