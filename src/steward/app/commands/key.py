"""`steward key status|rotate|retire`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.keeping import open_keeping
from steward.app.master_keys import rotation_of
from steward.base.clock import SystemClock
from steward.base.errors import Conflict
from steward.govern.privacy.key_keeping import KeyKeeping, ServiceKeys
from steward.govern.privacy.rotation import Rotation


class NoKeyService(Conflict):
    """There is no key service whose key could get a new version."""

    def __init__(self) -> None:
        super().__init__("No key service is configured, so --service has nothing to rotate; leave it out.")


def run_status(*, as_json: bool, data_dir: Path | None) -> int:
    """Show every key that is read or needed; 1 when one is needed that can't be read."""

    async def work(rotation: Rotation, keeping: KeyKeeping) -> int:
        states = await rotation.state()
        if as_json:
            print_json({"source": keeping.source.name, "keys": [asdict(state) for state in states]})
        else:
            print(f"source: {keeping.source.name}")
            for state in states:
                role = "in use" if state.in_use else "to be read" if state.readable else "MISSING"
                wrapped = ", ".join(f"{rows} {table}" for table, rows in state.wrapped.items()) or "nothing"
                print(f"{state.id}  {role:<10}  {wrapped}")
        return 0 if all(state.readable for state in states) else 1

    return _with_rotation(data_dir, work)


def run_rotate(*, service: bool, as_json: bool, data_dir: Path | None) -> int:
    """Rotate, or go on with a rotation."""

    async def work(rotation: Rotation, keeping: KeyKeeping) -> int:
        version = None
        if service:
            if not isinstance(keeping.source, ServiceKeys):
                raise NoKeyService
            version = await rotation.rotate_service(keeping.source, actor=OPERATOR)
        done = await rotation.rotate(
            actor=OPERATOR, after_batch=lambda table, rows: say(f"{table}: {rows} wrapped anew")
        )
        if as_json:
            print_json({**asdict(done), "service_version": version})
        else:
            begun = "is in use now" if done.is_new else "was in use already: a rotation was finished"
            print(f"{done.key_id} {begun}; {sum(done.wrapped.values())} keys wrapped anew")
        return 0

    return _with_rotation(data_dir, work)


def run_retire(key_id: str, *, as_json: bool, data_dir: Path | None) -> int:
    """Forget a key."""

    async def work(rotation: Rotation, keeping: KeyKeeping) -> int:
        await rotation.retire(key_id, actor=OPERATOR)
        print_json({"retired": key_id}) if as_json else print(f"{key_id} is retired")
        return 0

    return _with_rotation(data_dir, work)


def _with_rotation(data_dir: Path | None, work: Callable[[Rotation, KeyKeeping], Awaitable[int]]) -> int:
    settings = prepared(data_dir)

    async def opened() -> int:
        async with open_keeping(settings, progress=say) as kept:
            return await work(rotation_of(kept.store.database, kept.keys, SystemClock()), kept.keys)

    return run_async(opened)
