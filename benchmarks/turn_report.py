"""Blocks into medians, ratios and targets, and those into tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

ADDED_P50_AT_ONE_CLIENT_MS = 20.0


@dataclass(frozen=True, slots=True)
class Block:
    """One way, measured once. `cores` are the processors that each process used on average."""

    mode: str
    clients: int
    round: int
    party: str
    answers: int
    per_second: float
    first_p50_ms: float
    first_p95_ms: float
    end_p50_ms: float
    end_p95_ms: float
    cores: Mapping[str, float]

    @property
    def server_cpu_ms(self) -> float:
        """Processor time of the compared server for one answer, its database not counted.

        The one figure here that other work on the machine hardly touches.
        """
        server = "model" if self.party == "direct" else self.party
        return self.cores.get(server, 0.0) / self.per_second * 1000

    def as_json(self) -> dict[str, Any]:
        """Return the block's figures, rounded."""
        rounded = {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }
        return {**rounded, "cores": {name: round(value, 3) for name, value in self.cores.items()}}

    def line(self) -> str:
        """Return the block as a line of progress."""
        return (
            f"{self.mode:8} {self.clients:3} clients  {self.party:8} {self.per_second:7.1f}/s  "
            f"first {self.first_p50_ms:7.1f} / {self.first_p95_ms:7.1f} ms  "
            f"end {self.end_p50_ms:7.1f} / {self.end_p95_ms:7.1f} ms"
        )


def summarise(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return one row per mode, number of clients and way: medians over the rounds, ratios to LiteLLM."""
    rows = []
    settings = dict.fromkeys((block.mode, block.clients) for block in blocks)
    for mode, clients in settings:
        here = [block for block in blocks if (block.mode, block.clients) == (mode, clients)]
        direct = {block.round: block for block in here if block.party == "direct"}
        by_party = {
            party: _row([block for block in here if block.party == party], direct)
            for party in dict.fromkeys(block.party for block in here)
        }
        for party, row in by_party.items():
            ratios = _ratios(row, by_party["litellm"]) if party == "steward" and "litellm" in by_party else {}
            rows.append({"mode": mode, "clients": clients, "party": party, **row, **ratios})
    return rows


def _row(blocks: Sequence[Block], direct: Mapping[int, Block]) -> dict[str, Any]:
    def median(values: Sequence[float]) -> float:
        return round(statistics.median(values), 2)

    row: dict[str, Any] = {"per_second": median([block.per_second for block in blocks])}
    for moment in ("first", "end"):
        for share in ("p50", "p95"):
            latencies = [getattr(block, f"{moment}_{share}_ms") for block in blocks]
            added = [
                latency - getattr(direct[block.round], f"{moment}_p50_ms")
                for latency, block in zip(latencies, blocks, strict=True)
            ]
            row[f"{moment}_{share}_ms"] = median(latencies)
            row[f"added_{moment}_{share}_ms"] = median(added)
    row["server_cpu_ms"] = median([block.server_cpu_ms for block in blocks])
    names = blocks[0].cores
    row["cores"] = {name: median([block.cores[name] for block in blocks]) for name in names}
    return row


def _ratios(steward: Mapping[str, Any], litellm: Mapping[str, Any]) -> dict[str, float]:
    names = (
        "added_first_p50_ms",
        "added_first_p95_ms",
        "added_end_p50_ms",
        "added_end_p95_ms",
        "server_cpu_ms",
        "per_second",
    )
    return {
        f"{name}_to_litellm": round(steward[name] / litellm[name], 2) for name in names if litellm[name] > 0
    }


def targets(summary: Sequence[Mapping[str, Any]]) -> list[tuple[str, bool]]:
    """Return each target in words, and whether it is met."""
    found = {(row["mode"], row["clients"], row["party"]): row for row in summary}
    judged = []
    for mode in dict.fromkeys(row["mode"] for row in summary):
        if alone := found.get((mode, 1, "steward")):
            added = alone["added_end_p50_ms"]
            words = f"{mode}, 1 client: p50 added {added:.1f} ms, at most {ADDED_P50_AT_ONE_CLIENT_MS:.0f}"
            judged.append((words, added <= ADDED_P50_AT_ONE_CLIENT_MS))
        ours, theirs = found.get((mode, 16, "steward")), found.get((mode, 16, "litellm"))
        if ours and theirs:
            mine, other = ours["added_end_p95_ms"], theirs["added_end_p95_ms"]
            words = f"{mode}, 16 clients: p95 added {mine:.0f} ms, LiteLLM's {other:.0f}"
            judged.append((words, mine <= other))
            judged.append((f"{words}, half of it (stretch)", mine <= other / 2))
            rate, their_rate = ours["per_second"], theirs["per_second"]
            words = f"{mode}, 16 clients: {rate:.0f} turns/s, LiteLLM's {their_rate:.0f}, twice (stretch)"
            judged.append((words, rate >= 2 * their_rate))
    return judged


def print_report(report: Mapping[str, Any]) -> None:
    """Print the tables."""
    machine, store, checks = report["machine"], report["store"], report["checks"]
    print(
        f"\n{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}; "
        f"load {machine['load']} before, {machine['load_after']} after"
    )
    print(f"PostgreSQL: fsync {store['fsync']}; a commit of one row takes {store['one_row_commit_ms']} ms")
    print(
        f"{checks['turns']} turns, each answered by the chat model, cited, verified and stored; "
        f"{checks['requests_logged_by_litellm']} requests logged by LiteLLM; "
        f"{report['chunks_per_answer']:.0f} chunks in an answer"
    )
    print("median of a turn's stages: " + _stages(checks["stage_median_ms"]) + "\n")
    head = ("mode", "clients", "way", "per s", "first p50", "p95", "end p50", "p95")
    added = ("added first", "p95", "added end", "p95", "CPU ms")
    print("{:9}{:>7} {:8}{:>8}{:>10}{:>8}{:>9}{:>8}{:>12}{:>8}{:>10}{:>8}{:>8}  cores".format(*head, *added))
    for row in report["summary"]:
        cores = " ".join(f"{name} {value:.2f}" for name, value in row["cores"].items() if value >= 0.02)
        print(
            f"{row['mode']:9}{row['clients']:>7} {row['party']:8}{row['per_second']:>8.1f}"
            f"{row['first_p50_ms']:>10.1f}{row['first_p95_ms']:>8.1f}"
            f"{row['end_p50_ms']:>9.1f}{row['end_p95_ms']:>8.1f}"
            f"{row['added_first_p50_ms']:>12.1f}{row['added_first_p95_ms']:>8.1f}"
            f"{row['added_end_p50_ms']:>10.1f}{row['added_end_p95_ms']:>8.1f}"
            f"{row['server_cpu_ms']:>8.1f}  {cores}"
        )
    print("\nSteward to LiteLLM (latency and CPU: below 1 is better; per second: above 1 is better)")
    for row in report["summary"]:
        ratios = {name: value for name, value in row.items() if name.endswith("_to_litellm")}
        if ratios:
            words = ", ".join(
                f"{name.removesuffix('_to_litellm').removesuffix('_ms').replace('_', ' ')} {value:.2f}"
                for name, value in ratios.items()
            )
            print(f"  {row['mode']}, {row['clients']} clients: {words}")
    print("\nTargets")
    for words, met in targets(report["summary"]):
        print(f"  {'met ' if met else 'MISSED'}  {words}")


def _stages(medians: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f} ms" for name, value in medians.items() if value is not None)
