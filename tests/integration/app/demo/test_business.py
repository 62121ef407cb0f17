"""The sample's business system as a process of its own: what it offers, and what survives kill -9."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from ruamel.yaml import YAML

import steward
from steward.app.demo.business.routes import ROUTES, match

CONNECTORS = Path(steward.__file__).parent / "supply/assistant/templates/northline/connectors.yaml"
REFUND = {"payment": "PAY-904418", "amount": "42.50", "reason": "duplicate"}


@contextmanager
def started(directory: Path, *arguments: str) -> Iterator[tuple[httpx2.Client, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "steward.app.demo.business", "--port", "0", "--data-dir", str(directory)]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().rsplit(" ", 1)[-1].strip()
    try:
        with httpx2.Client(base_url=url) as client:
            yield client, process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def refund(client: httpx2.Client, key: str) -> httpx2.Response:
    return client.post("/refunds", json=REFUND, headers={"Idempotency-Key": key})


class TestRoutes:
    def test_are_those_of_the_connectors_file(self) -> None:
        systems = YAML(typ="safe").load(CONNECTORS.read_text(encoding="utf-8"))["systems"]
        offered = {
            (operation["name"], operation["method"], operation["path"])
            for system in systems
            for operation in system["operations"]
        }
        here = {(route.operation, route.method, route.path) for route in ROUTES}
        assert here | {("outcome_by_key", "GET", "/outcomes/{key}")} == offered

    def test_fixed_addresses_are_not_taken_for_arguments(self) -> None:
        found = match("GET", "/lines/NL-330951/next-visit")
        assert found is not None
        assert found[0].operation == "next_visit"


class TestProcess:
    def test_killed_after_the_work_it_remembers(self, tmp_path: Path) -> None:
        faults = json.dumps({"operation": "refund_payment", "drop_after_work": True})
        with started(tmp_path, "--faults", faults) as (client, process):
            with pytest.raises(httpx2.RemoteProtocolError, match="disconnected"):
                refund(client, "k1")
            process.kill()
        with started(tmp_path) as (client, _):
            outcome = client.get("/outcomes/k1").json()
            assert outcome["status"] == "done"
            assert refund(client, "k1").json() == outcome["result"]
            assert refund(client, "k2").status_code == 409
            assert client.get("/accounts/NL-204816/duplicate-charge").json() == {"found": False}
            effects = [entry for entry in client.get("/journal").json()["entries"] if entry["effect"]]
            assert [entry["key"] for entry in effects] == ["k1"]

    def test_line_cut_in_half_by_a_crash_never_happened(self, tmp_path: Path) -> None:
        with started(tmp_path) as (client, _):
            assert refund(client, "k1").status_code == 201
        with (tmp_path / "journal.jsonl").open("ab") as journal:
            journal.write(b'{"n":2,"key":"k2","eff')
        with started(tmp_path) as (client, _):
            assert client.get("/outcomes/k2").json()["status"] == "none"
            assert len(client.get("/journal").json()["entries"]) == 1

    def test_key_belongs_to_one_request(self, tmp_path: Path) -> None:
        with started(tmp_path) as (client, _):
            refund(client, "k1")
            other = client.post(
                "/refunds", json={**REFUND, "amount": "1.00"}, headers={"Idempotency-Key": "k1"}
            )
            assert (other.status_code, other.json()["code"]) == (422, "key_reused")

    def test_page_shows_customers_effects_and_switches(self, tmp_path: Path) -> None:
        with started(tmp_path) as (client, _):
            before = client.get("/").text
            assert "£42.50 taken twice" in before
            assert "<script" not in before
            refund(client, "k1")
            assert "RF-300501" in client.get("/").text
            switched = client.post("/faults", data={"fault": '{"slow_ms": 1}'})
            assert switched.status_code == 303
            assert "slow_ms" in client.get("/").text
            client.post("/faults", data={"fault": ""})
            assert client.get("/faults").json() == {"faults": []}

    def test_bad_data_directory_is_one_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        command = [
            sys.executable,
            "-m",
            "steward.app.demo.business",
            "--port",
            "0",
            "--data-dir",
            str(tmp_path / "file"),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert ended.returncode == 2
        assert len(ended.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    with started(tmp_path_factory.mktemp("business")) as (made, _):
        yield made


class TestOperations:
    @pytest.mark.parametrize(
        ("method", "path", "body", "holds"),
        [
            ("GET", "/customers/NL-204816?postcode=XX1+1XX", None, {"verified": False}),
            ("GET", "/accounts/NL-118273/duplicate-charge", None, {"amount_text": "£142.50"}),
            ("GET", "/accounts/NL-661937/refunds/latest", None, {"refund": "RF-300412", "status": "sent"}),
            ("GET", "/accounts/NL-204816/invoices/latest", None, {"invoice": "INV-731204"}),
            ("GET", "/accounts/NL-204816/plans/Fibre%20150", None, {"allowed": False}),
            ("GET", "/accounts/NL-447620/cancellation-terms", None, {"fee": "0.00", "in_contract": False}),
            ("GET", "/lines/NL-447620", None, {"status": "outage", "can_restart": False}),
            ("GET", "/lines/NL-330951/next-visit", None, {"found": True}),
            ("GET", "/accounts/NL-552084/sign-in", None, {"locked": True, "email_hint": "m***@mail.example"}),
            ("POST", "/invoices/INV-731204/send", {}, {"sent_to": "p***@mail.example"}),
            (
                "PUT",
                "/accounts/NL-204816/address",
                {"new_address": "1 New Row", "new_postcode": "n1 9zz"},
                {"postcode": "N1 9ZZ"},
            ),
            ("POST", "/accounts/NL-204816/plan", {"plan": "fibre_500"}, {"plan_title": "Fibre 500"}),
            ("POST", "/accounts/NL-204816/cancellation", {"reason": "moving"}, {"cancellation": "CX-204816"}),
            ("POST", "/lines/NL-330951/restart", {}, {"restarted": True}),
            ("POST", "/lines/NL-447620/restart", {}, {"code": "restart_useless"}),
            (
                "POST",
                "/tickets",
                {"account": "NL-883162", "kind": "broadband", "summary": "x"},
                {"ticket": "TK-610200"},
            ),
            ("POST", "/tickets/TK-610200/close", {"reason": "x"}, {"status": "closed"}),
            ("POST", "/tickets/TK-610200/close", {"reason": "x"}, {"code": "already_closed"}),
            ("POST", "/accounts/NL-552084/password-link", {}, {"valid_minutes": 30}),
            ("GET", "/accounts/NL-552084/sign-in", None, {"locked": False, "links_sent": 1}),
        ],
    )
    def test_answers(
        self,
        client: httpx2.Client,
        method: str,
        path: str,
        body: dict[str, str] | None,
        holds: dict[str, object],
    ) -> None:
        answer = client.request(method, path, json=body).json()
        assert {name: answer.get(name) for name in holds} == holds

    def test_visit_is_booked_once(self, client: httpx2.Client) -> None:
        slot = client.get("/lines/NL-883162/next-visit").json()["visit_slot"]
        body = {"account": "NL-883162", "ticket": "TK-610200", "visit_slot": slot}
        assert client.post("/visits", json=body).status_code == 201
        assert client.post("/visits", json=body).json()["code"] == "slot_taken"
        assert client.get("/lines/NL-883162/next-visit").json()["visit_slot"] != slot
