"""Server-sent events, as far as chat servers use them: the data of each event, incrementally."""

from __future__ import annotations


class EventData:
    """Collects bytes and gives back the data of each event that is complete.

    Lines end with LF or CRLF; several data lines of one event are joined; comments and other fields
    are passed over (HTML Living Standard, section 9.2.6).
    """

    __slots__ = ("_data", "_rest", "limit_bytes")

    def __init__(self, *, limit_bytes: int = 1_048_576) -> None:
        self.limit_bytes = limit_bytes
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and return the data of every event that they complete.

        Raises:
            ValueError: one line grew beyond `limit_bytes`.
        """
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > self.limit_bytes:
            raise ValueError("a line of the event stream is too long")
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if line[:5] == b"data:":
                data.append(line[5:].strip())
            elif data and line in (b"", b"\r"):
                events.append(data[0] if len(data) == 1 else b"\n".join(data))
                data.clear()
        return events

    def finish(self) -> list[bytes]:
        """Return the data of a last event that the stream's end completed without an empty line."""
        return self.feed(b"\n\n")


class WholeBody:
    """Has the same face for a server that answers in one JSON body although a stream was asked for."""

    __slots__ = ("_body", "limit_bytes")

    def __init__(self, *, limit_bytes: int = 1_048_576) -> None:
        self.limit_bytes = limit_bytes
        self._body = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Collect the body; nothing is complete before its end.

        Raises:
            ValueError: it grew beyond `limit_bytes`.
        """
        self._body += chunk
        if len(self._body) > self.limit_bytes:
            raise ValueError("the body is too long")
        return []

    def finish(self) -> list[bytes]:
        """Return the body once."""
        body, self._body = self._body, b""
        return [body] if body else []
