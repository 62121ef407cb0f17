"""The assistant folder: everything that shapes an assistant's behaviour, as files that people review.

Bytes come in (a folder on disk, or a release's bundle); out goes a frozen `Folder`, or every fault
of every file at its line and column with the nearest right name. Nothing here knows the database,
the models or the network, and reading never runs what the folder holds.
"""
