"""Checks that cross files: every reference leads somewhere, every text and pattern can be used.

Each module yields faults for one concern from a draft. They judge only what could be read: where
a file's names can't be known, references into it are left alone, so that one fault is said once.
"""
