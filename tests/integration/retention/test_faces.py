"""Customers' rights in the console and over the API, as compliance uses them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx2
import pytest
from tests.integration.edge.conftest import services_on
from tests.integration.retention.conftest import House
from tests.prove.planting import PEOPLE, plant

from steward.edge.application import build_app
from steward.edge.callers import SESSION_COOKIE
from steward.edge.contracts import EdgeSettings, Rights
from steward.govern.access.permissions import Role

REFERENCE = PEOPLE[0].reference


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody of compliance who is signed in, with a customer who has a past."""

    client: httpx2.AsyncClient
    token: str

    async def post(self, path: str, **form: str) -> httpx2.Response:
        """Post a form of a page."""
        return await self.client.post(path, data={"csrf_token": self.token, **form})

    async def call(self, path: str, **body: str) -> httpx2.Response:
        """Call the API."""
        return await self.client.post(path, json=body, headers={"x-csrf-token": self.token})


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    settings = EdgeSettings("northline", "Northline", "0.1.0")
    services = await services_on(house.database, house.clock, settings=settings)
    services = replace(services, rights=Rights(erasing=house.erasing, exporting=house.exporting))
    account = await services.access.accounts.create(
        login="cleo@x", name="Cleo", role=Role.COMPLIANCE, password="a long password", actor="system"
    )
    opened = await services.access.sessions.open(account)
    await plant(house.database, house.vault, house.clock, house.ground, PEOPLE[0], conversations=2)
    transport = httpx2.ASGITransport(app=build_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://steward.test") as client:
        client.cookies.set(SESSION_COOKIE, opened.token)
        yield Desk(client, opened.csrf_token)


class TestPage:
    async def test_finds_and_shows_counts_but_no_words(self, desk: Desk) -> None:
        page = await desk.post("/console/rights/find", reference=REFERENCE)
        assert page.status_code == 200
        assert '<td class="num">6</td>' in page.text
        assert PEOPLE[0].name not in page.text

    async def test_says_that_nobody_is_known(self, desk: Desk) -> None:
        page = await desk.post("/console/rights/find", reference="nobody")
        assert page.status_code == 404
        assert "Nobody is known by this reference" in page.text

    async def test_hands_out_a_zip(self, desk: Desk) -> None:
        answer = await desk.post("/console/rights/export", reference=REFERENCE)
        assert answer.headers["content-disposition"].startswith('attachment; filename="export-')
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert PEOPLE[0].name in archive.read("data.json").decode()
        assert "subject" in (await desk.client.get("/console/rights")).text

    async def test_erases_nothing_unless_the_reference_is_typed_again(self, desk: Desk, house: House) -> None:
        page = await desk.post("/console/rights/erase", reference=REFERENCE, again="NL-1", ground="request")
        assert page.status_code == 400
        assert "nothing was erased" in page.text
        assert await house.count("message") == 6

    async def test_erases_and_gives_the_certificate(self, desk: Desk, house: House) -> None:
        page = await desk.post(
            "/console/rights/erase", reference=REFERENCE, again=REFERENCE, ground="objection"
        )
        assert page.status_code == 200
        assert await house.count("message") == 0
        (line,) = await house.erasing.listed()
        for form, sign in (("html", "<!doctype html>"), ("md", "# Certificate"), ("json", '"ground"')):
            answer = await desk.client.get(f"/console/rights/erasures/{line.id}/{form}")
            assert sign in answer.text
            assert "objection" in answer.text
        assert (await desk.client.get(f"/console/rights/erasures/{line.id}/pdf")).status_code == 400

    async def test_tells_of_a_hold_and_keeps_everything(self, desk: Desk, house: House) -> None:
        await house.holds.place(REFERENCE, reason="case 12/26", actor="account:1")
        page = await desk.post(
            "/console/rights/erase", reference=REFERENCE, again=REFERENCE, ground="request"
        )
        assert page.status_code == 409
        assert "legal hold" in page.text
        assert await house.count("message") == 6


class TestApi:
    async def test_finds_exports_erases_and_certifies(self, desk: Desk) -> None:
        found = await desk.call("/v1/admin/customers/find", customer=REFERENCE)
        (customer,) = found.json()["customers"]
        assert customer["kept"]["messages"] == 6
        export = await desk.call("/v1/admin/customers/export", customer=customer["id"])
        assert export.headers["content-type"] == "application/zip"
        erased = await desk.call("/v1/admin/customers/erase", customer=REFERENCE, ground="request")
        certificate = erased.json()
        assert certificate["customers"] == [customer["id"]]
        listed = (await desk.client.get("/v1/admin/erasures")).json()["erasures"]
        assert [line["id"] for line in listed] == [certificate["erasure"]]
        again = await desk.client.get(f"/v1/admin/erasures/{certificate['erasure']}")
        assert again.json() == certificate
        gone = await desk.call("/v1/admin/customers/find", customer=REFERENCE)
        assert gone.status_code == 404

    async def test_refuses_a_ground_in_free_words(self, desk: Desk) -> None:
        answer = await desk.call("/v1/admin/customers/erase", customer=REFERENCE, ground="she asked")
        assert answer.status_code == 400
        assert "isn't a ground" in answer.json()["detail"]
