"""Every deed that the ledger may hold, with what it means in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DEEDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "account.created": "An account was made",
        "account.disabled": "An account was closed",
        "account.emergency_changed": "An account became the way in for emergencies, or stopped being it",
        "account.emergency_used": "Somebody signed in by the way in for emergencies",
        "account.enabled": "A closed account was opened again",
        "account.locked_out": "Too many wrong passwords or codes: an account is locked for a while",
        "account.password_changed": "A password was changed",
        "account.role_changed": "Somebody got another role",
        "account.scope_changed": "The use cases that somebody works on were changed",
        "account.sessions_ended": "Somebody's sign-ins were ended",
        "account.signed_in": "Somebody signed in",
        "action.failed": "A business system refused an action",
        "action.intended": "An action was about to be sent to a business system",
        "action.done": "A business system carried an action out",
        "action.undone": "An action was undone",
        "action.unknown": "A business system's answer was lost; the action is looked up",
        "address.locked_out": "Too many wrong passwords: an address is locked for a while",
        "approval.approved": "Somebody agreed to an action",
        "approval.denied": "Somebody refused an action",
        "conversation.given_back": "A person gave a conversation back to the assistant",
        "conversation.taken_over": "A person took a conversation over",
        "customer.erased": "A customer was erased everywhere",
        "evaluation.failed": "A release didn't pass its evaluation",
        "evaluation.passed": "A release passed its evaluation",
        "hold.lifted": "A legal hold ended; the customer may be erased again",
        "hold.placed": "A legal hold keeps a customer's data",
        "key.issued": "A key for programs was issued",
        "key.revoked": "A key for programs was revoked",
        "key.rotated": "A key for programs was replaced",
        "knowledge.pruned": "Knowledge that no release holds was deleted",
        "ledger.exported": "A part of this ledger was handed out",
        "personal.exported": "Everything kept about a customer was handed out",
        "personal.reveal_asked": "Somebody asked to see a hidden value",
        "master_key.added": "A new master key was put into use",
        "master_key.rotated": "Every key was wrapped by the master key in use",
        "master_key.retired": "A master key was forgotten",
        "key_service.rotated": "The key service's key got a new version",
        "personal.revealed": "Hidden values were shown to somebody",
        "release.approved": "Somebody agreed to a release",
        "release.approval_withdrawn": "Somebody took an agreement to a release back",
        "release.created": "A folder was frozen into a release",
        "release.exported": "A release was handed out",
        "release.imported": "A release came in from another installation",
        "release.labelled": "A release got a name",
        "release.pruned": "A release was deleted",
        "release.repaired": "A release's derived parts were made anew",
        "release.served": "A release was put before all customers",
        "release.signed": "Releases were signed with the installation's key",
        "release.unlabelled": "A release lost a name",
        "release_key.distrusted": "Another installation's releases may no longer come in",
        "release_key.made": "The installation's signing key was made",
        "release_key.trusted": "Another installation's releases may come in",
        "retention.applied": "What was older than its rule allows was removed",
        "rollout.aborted": "A rollout was ended without a judgement",
        "rollout.approval_asked": "A phase waits for an agreement",
        "rollout.approved": "Somebody agreed to a phase",
        "rollout.category_rolled_back": "A candidate was taken away in some categories",
        "rollout.concluded": "An experiment or a shadow ended",
        "rollout.denied": "Somebody refused a phase",
        "rollout.gate_closed": "A rollout waits for something that governance asks for",
        "rollout.held": "A rollout stopped going on",
        "rollout.paused": "Nobody new is given the candidate",
        "rollout.phase_started": "A phase began",
        "rollout.promoted": "A candidate answers everybody",
        "rollout.resumed": "A rollout goes on",
        "rollout.rolled_back": "A candidate was taken away from everybody",
        "rollout.started": "A rollout began",
        "second_factor.codes_renewed": "Recovery codes were made anew",
        "second_factor.recovery_used": "Somebody signed in with a recovery code",
        "second_factor.removed": "A second factor was removed",
        "second_factor.set_up": "A second factor was set up",
        "setting.changed": "Settings of the installation changed",
    }
)


def sentence_of(deed: str) -> str:
    """Return a deed in words; one that isn't known keeps its name."""
    return DEEDS.get(deed, deed.replace("_", " ").replace(".", ": "))
