"""A file per kind of source: bytes in, titled blocks of plain text out.

Every reader is one pure function `read(content, path)` that raises `UnreadableDocument` with a
sentence for the person who owns the document. Readers are slow and run in a thread.
"""
