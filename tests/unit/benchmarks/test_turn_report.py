from benchmarks.turn_report import Block, summarise, targets


def block(party: str, *, turn: int, end_ms: float, per_second: float, clients: int = 16) -> Block:
    return Block(
        mode="whole",
        clients=clients,
        round=turn,
        party=party,
        answers=100,
        per_second=per_second,
        first_p50_ms=end_ms,
        first_p95_ms=end_ms * 2,
        end_p50_ms=end_ms,
        end_p95_ms=end_ms * 2,
        cores={"client": 0.1},
    )


class TestSummarise:
    def test_added_is_measured_against_the_direct_call_of_the_same_round(self) -> None:
        blocks = [
            block("direct", turn=0, end_ms=1, per_second=1000),
            block("steward", turn=0, end_ms=11, per_second=100),
            block("direct", turn=1, end_ms=5, per_second=1000),
            block("steward", turn=1, end_ms=15, per_second=100),
        ]
        steward = summarise(blocks)[1]
        assert steward["added_end_p50_ms"] == 10
        assert steward["end_p50_ms"] == 13

    def test_ratios_are_of_added_latency_and_of_rate(self) -> None:
        blocks = [
            block("direct", turn=0, end_ms=1, per_second=1000),
            block("steward", turn=0, end_ms=11, per_second=120),
            block("litellm", turn=0, end_ms=21, per_second=60),
        ]
        steward = next(row for row in summarise(blocks) if row["party"] == "steward")
        assert steward["added_end_p50_ms_to_litellm"] == 0.5
        assert steward["per_second_to_litellm"] == 2

    def test_without_litellm_there_are_no_ratios(self) -> None:
        blocks = [
            block("direct", turn=0, end_ms=1, per_second=1000),
            block("steward", turn=0, end_ms=11, per_second=120),
        ]
        assert not any(name.endswith("_to_litellm") for row in summarise(blocks) for name in row)


class TestTargets:
    def test_each_target_is_judged(self) -> None:
        blocks = [
            block("direct", turn=0, end_ms=1, per_second=1000, clients=1),
            block("steward", turn=0, end_ms=31, per_second=30, clients=1),
            block("direct", turn=0, end_ms=1, per_second=1000),
            block("steward", turn=0, end_ms=11, per_second=100),
            block("litellm", turn=0, end_ms=21, per_second=60),
        ]
        assert [met for _, met in targets(summarise(blocks))] == [False, True, False, False]
