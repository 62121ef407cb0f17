"""Conversations in their arms: the real turn code, releases of the sample and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry
from tests.conftest import TestDatabase, empty_tables

from steward.app.foundation import open_foundation
from steward.app.settings import Settings
from steward.app.wiring import Application, open_application
from steward.improve.simulation.knobs import Knobs
from steward.improve.simulation.model_server import serve_in_thread
from steward.serve.conversations.contracts import Conversation, Customer, Done
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder
from steward.supply.releases.assignment import Baseline, BaselineKind, Holdout, Split, Traffic
from steward.supply.releases.contracts import ReleaseId
from steward.supply.releases.traffic import TrafficControl

BILL = "What does my bill include?"
REFUND = "I want to cancel my contract"
EVERYBODY = 10_000
pytestmark = pytest.mark.timeout(600)  # freezes the sample twice


@dataclass
class Scene:
    """Two releases of the sample, the first one served, and ways to divide traffic and to talk."""

    application: Application
    baseline: ReleaseId
    candidate: ReleaseId
    rollout_id: UUID
    categories: frozenset[str]

    def split(self, buckets: int = EVERYBODY, **changes: object) -> Split:
        """Return a division that gives the candidate so many buckets of every category."""
        split = Split(self.rollout_id, 0, self.candidate, buckets, self.categories)
        return replace(split, **changes)  # type: ignore[arg-type]

    async def divide(
        self,
        split: Split | None,
        *,
        simulated: bool = False,
        holdout: Holdout | None = None,
        baseline: Baseline | None = None,
        release: ReleaseId | None = None,
    ) -> None:
        """Change traffic as a rollout does."""
        foundation = self.application.foundation
        async with foundation.store.database.write() as session:
            wanted = Traffic(
                "northline", simulated, release or self.baseline, 0, split, holdout, baseline or Baseline()
            )
            await TrafficControl(foundation.clock).change(session, wanted)

    async def start(self, *, simulated: bool = False, release: str | None = None, **claims: str) -> UUID:
        """Open a conversation of a new customer."""
        customer = Customer(str(uuid4()), bool(claims), claims)
        started = await self.application.conversations.start(
            assistant="northline", channel="web", customer=customer, locale=None, simulated=simulated,
            release_id=release,
        )  # fmt: skip
        return started.conversation.id

    async def say(self, conversation: UUID, text: str) -> Done:
        """Send a message and return how its turn ended."""
        events = [
            event async for event in self.application.turns.message(conversation, text, key=str(uuid4()))
        ]
        done = events[-1]
        assert isinstance(done, Done)
        return done

    async def state(self, conversation: UUID) -> Conversation:
        """Return the conversation as it is stored."""
        return await self.application.conversations.get(conversation)


@pytest.fixture(scope="module")
async def installation(
    worker_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Application, ReleaseId, ReleaseId, frozenset[str]]]:
    """Everything that serves the sample, in this process, with two releases."""
    directory = tmp_path_factory.mktemp("placing")
    settings = Settings(
        data_dir=directory,
        database_url=worker_database.app_url,
        migration_database_url=worker_database.owner_url,
    )
    folder = directory / "northline"
    initialise(folder, "northline")
    async with open_foundation(settings, say=lambda _: None) as foundation:
        read = read_folder(folder)
        first = await foundation.releases.create(read, created_by="system")
        await foundation.releases.serve("northline", first.id, actor="system")
        desk = folder / "desk.yaml"
        desk.write_text(desk.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
        second = await foundation.releases.create(read_folder(folder), created_by="system")
        names = frozenset(category.name for category in read.intents.categories)
        async with open_application(
            foundation, assistant="northline", registry=CollectorRegistry()
        ) as application:
            yield application, first.id, second.id, names
    empty_tables(worker_database.admin_url)


@pytest.fixture
async def scene(
    installation: tuple[Application, ReleaseId, ReleaseId, frozenset[str]],
) -> AsyncIterator[Scene]:
    """A rollout of its own over undivided traffic."""
    application, first, second, names = installation
    scene = Scene(application, first, second, uuid4(), names)
    async with application.foundation.store.database.write() as session:
        await session.execute("update rollout set state = 'aborted'")
        await session.execute(
            """insert into rollout (id, assistant, kind, candidate_release, baseline_release,
                   baseline_kind, plan, state, created_by, created_at)
               values (%s, 'northline', 'rollout', %s, %s, 'release', '{}', 'running', 'system', now())""",
            (scene.rollout_id, second, first),
        )
    yield scene
    await scene.divide(None)
    await scene.divide(None, simulated=True)


class TestAssignment:
    async def test_the_first_matter_assigns_and_a_greeting_does_not(self, scene: Scene) -> None:
        await scene.divide(scene.split())
        conversation = await scene.start()
        await scene.say(conversation, "hi")
        assert not (await scene.state(conversation)).assigned
        done = await scene.say(conversation, BILL)
        state = await scene.state(conversation)
        assert (done.arm, done.release) == ("candidate", scene.candidate)
        assert (state.arm, state.rollout_id, state.assigned_category) == (
            "candidate", scene.rollout_id, "billing",
        )  # fmt: skip

    async def test_outside_the_share_it_stays_on_the_baseline_and_counts(self, scene: Scene) -> None:
        await scene.divide(scene.split(0))
        conversation = await scene.start()
        done = await scene.say(conversation, BILL)
        assert (done.arm, done.release) == ("baseline", scene.baseline)
        assert (await scene.state(conversation)).assigned

    async def test_a_category_that_does_not_take_part_assigns_nothing_for_good(self, scene: Scene) -> None:
        await scene.divide(scene.split(categories=frozenset({"billing"})))
        conversation = await scene.start()
        assert (await scene.say(conversation, "My internet is down")).release == scene.baseline
        assert (await scene.say(conversation, BILL)).release == scene.baseline
        assert not (await scene.state(conversation)).assigned

    async def test_a_pinned_conversation_is_never_assigned(self, scene: Scene) -> None:
        await scene.divide(scene.split())
        conversation = await scene.start(release=scene.baseline)
        assert (await scene.say(conversation, BILL)).release == scene.baseline
        assert not (await scene.state(conversation)).assigned

    async def test_staff_alone_in_an_internal_phase(self, scene: Scene) -> None:
        await scene.divide(scene.split(0, staff_only=True))
        assert (await scene.say(await scene.start(), BILL)).arm == "baseline"
        assert (await scene.say(await scene.start(staff="true"), BILL)).arm == "candidate"

    async def test_staff_keep_the_candidate_outside_the_comparison(self, scene: Scene) -> None:
        await scene.divide(scene.split(0, staff_stay=True))
        conversation = await scene.start(staff="true")
        assert (await scene.say(conversation, BILL)).release == scene.candidate
        async with scene.application.foundation.store.database.read() as session:
            counted = await session.one(
                "select count(*) from assignment where rollout_id = %s", (scene.rollout_id,)
            )
        assert counted == (0,)
        assert (await scene.say(await scene.start(), BILL)).release == scene.baseline

    async def test_simulated_traffic_has_a_lane_of_its_own(self, scene: Scene) -> None:
        await scene.divide(scene.split(), simulated=True)
        assert (await scene.say(await scene.start(), BILL)).release == scene.baseline
        assert (await scene.say(await scene.start(simulated=True), BILL)).release == scene.candidate


class TestWayBack:
    async def test_no_turn_starts_on_a_candidate_that_was_rolled_back(self, scene: Scene) -> None:
        await scene.divide(scene.split())
        conversation = await scene.start()
        assert (await scene.say(conversation, BILL)).release == scene.candidate
        await scene.divide(None)
        done = await scene.say(conversation, "How do I get a paper copy?")
        state = await scene.state(conversation)
        assert (done.arm, done.release) == ("candidate", scene.baseline)
        assert (state.arm, state.moved, state.release_id) == ("candidate", True, scene.baseline)

    async def test_promotion_moves_nobody(self, scene: Scene) -> None:
        await scene.divide(scene.split())
        conversation = await scene.start()
        await scene.say(conversation, BILL)
        await scene.divide(None, release=scene.candidate)
        assert (await scene.say(conversation, "How do I get a paper copy?")).release == scene.candidate
        assert not (await scene.state(conversation)).moved

    async def test_a_release_that_follows_a_promoted_one_moves_nobody_either(self, scene: Scene) -> None:
        await scene.divide(scene.split())
        conversation = await scene.start()
        await scene.say(conversation, BILL)
        async with scene.application.foundation.store.database.write() as session:
            await session.execute("update rollout set state = 'promoted' where id = %s", (scene.rollout_id,))
        await scene.divide(None, release=scene.baseline)
        assert (await scene.say(conversation, "How do I get a paper copy?")).release == scene.candidate

    async def test_a_category_that_does_not_take_part_moves_to_the_baseline(self, scene: Scene) -> None:
        await scene.divide(scene.split(categories=frozenset({"billing"})))
        conversation = await scene.start()
        assert (await scene.say(conversation, BILL)).release == scene.candidate
        assert (await scene.say(conversation, "My internet is down")).release == scene.baseline
        assert (await scene.say(conversation, BILL)).release == scene.baseline

    async def test_pausing_keeps_those_who_are_assigned_and_takes_nobody_new(self, scene: Scene) -> None:
        await scene.divide(scene.split())
        conversation = await scene.start()
        await scene.say(conversation, BILL)
        await scene.divide(scene.split(paused=True))
        assert (await scene.say(conversation, "How do I get a paper copy?")).release == scene.candidate
        assert (await scene.say(await scene.start(), BILL)).release == scene.baseline

    async def test_an_unconfirmed_workflow_is_asked_again(self, scene: Scene) -> None:
        await scene.divide(scene.split())
        conversation = await scene.start()
        first = await scene.say(conversation, REFUND)
        assert first.release == scene.candidate
        await scene.say(conversation, "yes please")
        await scene.divide(None)
        done = await scene.say(conversation, "1234567")
        assert done.release == scene.baseline
        async with scene.application.foundation.store.database.read() as session:
            runs = await session.all(
                "select release_id, state from workflow_run where conversation_id = %s order by created_at",
                (conversation,),
            )
        assert [(release, state == "cancelled") for release, state in runs] == [
            (scene.candidate, True), (scene.baseline, False),
        ]  # fmt: skip


class TestOldWay:
    async def test_the_desk_answers_whoever_is_not_on_the_candidate(self, scene: Scene) -> None:
        await scene.divide(scene.split(0), baseline=Baseline(BaselineKind.HUMAN))
        conversation = await scene.start()
        assert (await scene.say(conversation, "hi")).outcome == "answered"
        assert (await scene.say(conversation, BILL)).outcome == "handed_over"

    async def test_the_desk_answers_again_after_a_roll_back(self, scene: Scene) -> None:
        human = Baseline(BaselineKind.HUMAN)
        await scene.divide(scene.split(), baseline=human, release=scene.candidate)
        conversation = await scene.start()
        assert (await scene.say(conversation, BILL)).outcome == "answered"
        await scene.divide(None, baseline=human, release=scene.candidate)
        assert (await scene.say(conversation, "How do I get a paper copy?")).outcome == "handed_over"

    async def test_a_bot_that_fails_hands_over(self, scene: Scene) -> None:
        nowhere = Baseline(BaselineKind.EXTERNAL, "http://127.0.0.1:9/v1")
        await scene.divide(scene.split(0), baseline=nowhere)
        assert (await scene.say(await scene.start(), BILL)).outcome == "handed_over"

    async def test_another_bots_words_reach_the_customer_in_their_own_values(self, scene: Scene) -> None:
        says = Knobs(canned="I'll send the copy to [EMAIL_1], not to jo@elsewhere.example. [EMAIL_9]")
        with serve_in_thread(says) as url:
            bot = Baseline(BaselineKind.EXTERNAL, url)
            await scene.divide(scene.split(0), baseline=bot)
            conversation = await scene.start()
            await scene.say(conversation, f"{BILL} Write to sam.hill@example.com")
        told = (await scene.application.conversations.messages(conversation))[-1].text
        assert told == "I'll send the copy to sam.hill@example.com, not to jo@elsewhere.example. [EMAIL_9]"
        stored = (await scene.application.conversations.transcript(conversation))[-1].text
        assert stored.startswith("I'll send the copy to [EMAIL_1], not to [EMAIL_2].")

    async def test_the_holdout_stays_on_the_old_way(self, scene: Scene) -> None:
        holdout = Holdout("salt", EVERYBODY, scene.baseline, Baseline(BaselineKind.HUMAN))
        await scene.divide(None, release=scene.candidate, holdout=holdout)
        done = await scene.say(await scene.start(), BILL)
        assert (done.arm, done.outcome) == ("holdout", "handed_over")
