"""Each kind of fault, at its line and column, with its sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from steward.supply.assistant.faults import Fault, FolderFaults, choice_of, nearest_of, shortened
from steward.supply.assistant.reading import read_files

FaultsOf = Callable[[Mapping[str, bytes]], list[str]]


@dataclass(frozen=True)
class Break:
    """One edit of one file and the faults that it must give."""

    name: str
    file: str
    old: str
    new: str
    faults: tuple[str, ...]


BREAKS = (
    Break(
        "tab",
        "desk.yaml",
        "  - {name: shop",
        "\t- {name: shop",
        (
            "spoke/desk.yaml:2:1  a tab is used for indentation; use spaces",
        ),
    ),
    Break(
        "unclosed quote",
        "desk.yaml",
        "question: How was it?",
        "question: 'How was it?",
        (
            "spoke/desk.yaml:10:13  a quote that opens here is never closed",
        ),
    ),
    Break(
        "colon in text",
        "desk.yaml",
        "How was it?",
        "One thing: how was it?",
        (
            "spoke/desk.yaml:10:22  a ': ' isn't allowed here; put the text in quotes, or check the indentation",
        ),
    ),
    Break(
        "duplicate key",
        "desk.yaml",
        "default_queue: shop",
        "default_queue: shop\ndefault_queue: shop",
        (
            "spoke/desk.yaml:4:1  'default_queue' stands here twice; the first is on line 3",
        ),
    ),
    Break(
        "tag",
        "desk.yaml",
        "How was it?",
        "!!python/name:os.system x",
        (
            "spoke/desk.yaml:10:13  tags (!…) aren't used here; write the plain value",
        ),
    ),
    Break(
        "unknown alias",
        "desk.yaml",
        "How was it?",
        "*other",
        (
            "spoke/desk.yaml:10:13  *other refers to an anchor that isn't defined before this line",
        ),
    ),
    Break(
        "merge key",
        "desk.yaml",
        "default_queue: shop",
        "<<: {}\ndefault_queue: shop",
        (
            "spoke/desk.yaml:3:1  merge keys (<<) aren't part of YAML 1.2; write the keys out",
        ),
    ),
    Break(
        "second document",
        "desk.yaml",
        "default_queue: shop",
        "default_queue: shop\n---",
        (
            "spoke/desk.yaml:4:1  a second document starts here; one file holds one",
        ),
    ),
    Break(
        "control character",
        "desk.yaml",
        "How was",
        "How\x07 was",
        (
            "spoke/desk.yaml:10:16  there is a control character (U+0007) here; delete it",
        ),
    ),
    Break(
        "escaped NUL",
        "desk.yaml",
        "How was it?",
        "\"How\\0\"",
        (
            "spoke/desk.yaml:10:13  an escape here stands for a control character; delete it",
        ),
    ),
    Break(
        "unknown key",
        "intents.yaml",
        "    title: When it arrives\n    examples:",
        "    title: When it arrives\n    exmaples:",
        (
            "spoke/intents.yaml:24:5  'examples' is missing in intents 'delivery_time'",
            "spoke/intents.yaml:27:5  unknown key 'exmaples' in intents 'delivery_time' ~ examples",
        ),
    ),
    Break(
        "wrong choice",
        "intents.yaml",
        "risk: medium",
        "risk: hihg",
        (
            "spoke/intents.yaml:4:11  risk is 'hihg'; it must be low, medium or high ~ high",
        ),
    ),
    Break(
        "bad name",
        "intents.yaml",
        "name: cancel_order",
        "name: Cancel order",
        (
            "spoke/intents.yaml:13:11  name is 'Cancel order'; names are lower-case letters, digits and _, and start with a letter ~ cancel_order",
        ),
    ),
    Break(
        "empty text",
        "desk.yaml",
        "question: How was it?",
        "question: \" \"",
        (
            "spoke/desk.yaml:10:13  question is empty; write its text",
        ),
    ),
    Break(
        "nothing written",
        "desk.yaml",
        "question: How was it?",
        "question:",
        (
            "spoke/desk.yaml:10:3  question is empty; write its text",
        ),
    ),
    Break(
        "number for text",
        "desk.yaml",
        "question: How was it?",
        "question: 12",
        (
            "spoke/desk.yaml:10:13  question is the number 12; it must be text (put quotes around it)",
        ),
    ),
    Break(
        "text for list",
        "desk.yaml",
        "days: [mon, tue]",
        "days: mon",
        (
            "spoke/desk.yaml:5:12  days is 'mon'; it must be a list, each entry on a line of its own after '- '",
        ),
    ),
    Break(
        "text for mapping",
        "desk.yaml",
        "survey:\n  question: How was it?",
        "survey: How was it?",
        (
            "spoke/desk.yaml:9:9  survey is 'How was it?'; it must be a mapping of keys to values",
        ),
    ),
    Break(
        "too few",
        "intents.yaml",
        "      - is my delivery late\n    counter",
        "    counter",
        (),
    ),
    Break(
        "below five",
        "intents.yaml",
        "      - which day do you deliver\n      - is my delivery late\n",
        "",
        (
            "spoke/intents.yaml:28:7  examples has 4 entries; it needs at least 5",
        ),
    ),
    Break(
        "above bound",
        "guardrails.yaml",
        "injection:\n",
        "injection:\n  threshold: 1.5\n",
        (
            "spoke/guardrails.yaml:14:14  threshold is the number 1.5; it must be at most 1",
        ),
    ),
    Break(
        "time of day",
        "desk.yaml",
        "\"09:00\"",
        "9am",
        (
            "spoke/desk.yaml:5:31  opens is '9am'; it must be a time of day, as in 08:30",
        ),
    ),
    Break(
        "not a date",
        "knowledge/delivery.md",
        "2030-01-01",
        "next year",
        (
            "spoke/knowledge/delivery.md:3:12  review_by is 'next year'; it must be a date, as in 2026-11-30",
        ),
    ),
    Break(
        "argument of odd kind",
        "workflows/cancel.yaml",
        "with: {order: \"{order_number}\"}\n    require",
        "with: {order: [1]}\n    require",
        (
            "spoke/workflows/cancel.yaml:12:19  order is a list; it must be text, a whole number or true or false",
        ),
    ),
    Break(
        "intent's category",
        "intents.yaml",
        "category: chat",
        "category: chatt",
        (
            "spoke/intents.yaml:37:15  intent 'human' belongs to category 'chatt', which isn't defined above ~ chat",
        ),
    ),
    Break(
        "category's queue",
        "intents.yaml",
        "queue: shop\n  - name: chat",
        "queue: shpo\n  - name: chat",
        (
            "spoke/intents.yaml:6:12  category 'orders' hands over to queue 'shpo', which desk.yaml doesn't have ~ shop",
        ),
    ),
    Break(
        "intent's workflow",
        "intents.yaml",
        "workflow: cancel",
        "workflow: cancle",
        (
            "spoke/intents.yaml:16:15  intent 'cancel_order' offers workflow 'cancle', which workflows/ doesn't have ~ cancel",
        ),
    ),
    Break(
        "intent twice",
        "intents.yaml",
        "name: human",
        "name: delivery_time",
        (
            "spoke/intents.yaml:36:11  intent 'delivery_time' stands here twice; the first is on line 24",
        ),
    ),
    Break(
        "example twice",
        "intents.yaml",
        "- no more robots please",
        "- Is my delivery LATE?",
        (
            "spoke/intents.yaml:46:9  'Is my delivery LATE?' is already an example of 'delivery_time' (line 33); it can't mean both",
        ),
    ),
    Break(
        "example out of scope",
        "intents.yaml",
        "- how do I bake bread",
        "- undo my purchase!",
        (
            "spoke/intents.yaml:51:5  'undo my purchase!' is already an example of 'cancel_order' (line 23); it can't mean both",
        ),
    ),
    Break(
        "example as its own counter",
        "intents.yaml",
        "- when do you open",
        "- where is my parcel",
        (
            "spoke/intents.yaml:35:9  'where is my parcel' is example and counter-example of 'delivery_time'; delete one",
        ),
    ),
    Break(
        "unknown call",
        "workflows/cancel.yaml",
        "call: shop.cancel_order",
        "call: shop.cancel_oder",
        (
            "spoke/workflows/cancel.yaml:23:11  step 'cancellation' calls shop.cancel_oder, which connectors.yaml doesn't offer ~ shop.cancel_order",
        ),
    ),
    Break(
        "check that writes",
        "workflows/cancel.yaml",
        "call: shop.order\n    with: {order: \"{order_number}\"}",
        "call: shop.cancel_order\n    with: {order: \"{order_number}\"}",
        (
            "spoke/workflows/cancel.yaml:11:11  check 'order' calls shop.cancel_order, which is a write; a check may only read",
        ),
    ),
    Break(
        "unknown argument",
        "workflows/cancel.yaml",
        "reason: asked in chat",
        "raeson: asked in chat",
        (
            "spoke/workflows/cancel.yaml:24:37  step 'cancellation' gives 'raeson', which shop.cancel_order doesn't take ~ reason",
        ),
    ),
    Break(
        "missing argument",
        "workflows/cancel.yaml",
        "with: {order: \"{order_number}\", reason: asked in chat}",
        "with: {reason: asked in chat}",
        (
            "spoke/workflows/cancel.yaml:23:11  step 'cancellation' doesn't give 'order', which stands in the path of shop.cancel_order",
        ),
    ),
    Break(
        "unknown value",
        "workflows/cancel.yaml",
        "Shall I cancel {order.title}?",
        "Shall I cancel {oder.title}?",
        (
            "spoke/workflows/cancel.yaml:16:10  {oder.title} is neither a slot nor a check nor a step ~ order",
        ),
    ),
    Break(
        "value from later",
        "workflows/cancel.yaml",
        "Shall I cancel {order.title}?",
        "Shall I cancel {cancellation.reference}?",
        (
            "spoke/workflows/cancel.yaml:16:10  {cancellation.reference} isn't known yet at this point",
        ),
    ),
    Break(
        "whole result",
        "workflows/cancel.yaml",
        "Shall I cancel {order.title}?",
        "Shall I cancel {order}?",
        (
            "spoke/workflows/cancel.yaml:16:10  {order} is a whole result; name one of its fields, as in {order.found}",
        ),
    ),
    Break(
        "field of a slot",
        "workflows/cancel.yaml",
        "Shall I cancel {order.title}?",
        "Shall I cancel {order_number.title}?",
        (
            "spoke/workflows/cancel.yaml:16:10  {order_number.title} names a field, but the slot 'order_number' has none ~ order_number",
        ),
    ),
    Break(
        "loose brace",
        "workflows/cancel.yaml",
        "Shall I cancel {order.title}?",
        "Shall I cancel {Order}?",
        (
            "spoke/workflows/cancel.yaml:16:10  the brace at '{Order}?' encloses no value's name; double it ({{) to write a brace",
        ),
    ),
    Break(
        "odd condition",
        "workflows/cancel.yaml",
        "when: order.amount > 500",
        "when: order.amount > lots",
        (
            "spoke/workflows/cancel.yaml:18:9  > compares numbers and dates; use == or != for words",
        ),
    ),
    Break(
        "condition on nothing",
        "workflows/cancel.yaml",
        "require: order.found",
        "require: odrer.found",
        (
            "spoke/workflows/cancel.yaml:13:14  {odrer.found} is neither a slot nor a check nor a step ~ order",
        ),
    ),
    Break(
        "require alone",
        "workflows/cancel.yaml",
        "    otherwise:\n      say: I can't find order {order_number}.\n",
        "",
        (
            "spoke/workflows/cancel.yaml:13:14  check 'order' requires something; say in `otherwise` what happens if not",
        ),
    ),
    Break(
        "once for everybody",
        "workflows/cancel.yaml",
        "once_per: \"{order.id}\"",
        "once_per: order",
        (
            "spoke/workflows/cancel.yaml:20:11  once_per names no value in braces, so this could only ever happen once for all customers",
        ),
    ),
    Break(
        "same name twice",
        "workflows/cancel.yaml",
        "name: cancellation",
        "name: order",
        (
            "spoke/workflows/cancel.yaml:22:11  'order' already names one of the checks; texts couldn't tell them apart",
            "spoke/workflows/cancel.yaml:26:9  {cancellation.reference} is neither a slot nor a check nor a step",
        ),
    ),
    Break(
        "find that writes",
        "connectors.yaml",
        "find: outcome",
        "find: cancel_order",
        (
            "spoke/connectors.yaml:25:15  'cancel_order' can't settle 'cancel_order': it must be a read with the argument `key`",
        ),
    ),
    Break(
        "find that isn't there",
        "connectors.yaml",
        "find: outcome",
        "find: outcom",
        (
            "spoke/connectors.yaml:25:15  operation 'cancel_order' is settled by 'outcom', which 'shop' lacks ~ outcome",
        ),
    ),
    Break(
        "path's argument",
        "connectors.yaml",
        "path: /outcomes/{key}",
        "path: /outcomes/{kay}",
        (
            "spoke/connectors.yaml:16:15  the path names {kay}, which isn't among the arguments of 'outcome' ~ key",
        ),
    ),
    Break(
        "case's intent",
        "cases/orders.yaml",
        "intent: delivery_time",
        "intent: delivery_tme",
        (
            "spoke/cases/orders.yaml:5:26  case 'delivery' expects intent 'delivery_tme', which intents.yaml doesn't have ~ delivery_time",
        ),
    ),
    Break(
        "case's citation",
        "cases/orders.yaml",
        "cites: [delivery.md]",
        "cites: [delivry.md]",
        (
            "spoke/cases/orders.yaml:5:49  case 'delivery' expects a citation of 'delivry.md', which knowledge/ doesn't have ~ delivery.md",
        ),
    ),
    Break(
        "case twice",
        "cases/orders.yaml",
        "name: cancels",
        "name: delivery",
        (
            "spoke/cases/orders.yaml:6:11  case 'delivery' stands here twice; the first is on line 2",
        ),
    ),
    Break(
        "model in answer_with",
        "assistant.yaml",
        "answer_with: [extractive]",
        "answer_with: [extractve]",
        (
            "spoke/assistant.yaml:11:15  answer_with names model 'extractve', which isn't among the models ~ extractive",
        ),
    ),
    Break(
        "time zone",
        "assistant.yaml",
        "Europe/London",
        "Europe/Londn",
        (
            "spoke/assistant.yaml:3:12  time_zone 'Europe/Londn' isn't a zone's name, as in Europe/London ~ Europe/London",
        ),
    ),
    Break(
        "control",
        "governance.yaml",
        "controls: [confirmation, approval]",
        "controls: [confirmation, aproval]",
        (
            "spoke/governance.yaml:9:122  risk 'wrong_cancel' names control 'aproval'; known are masking, guard, verification, confirmation, approval, override, exactly_once, rollback, ledger, review, access or evidence ~ approval",
        ),
    ),
    Break(
        "governance's category",
        "governance.yaml",
        "categories: [orders, chat]",
        "categories: [order, chat]",
        (
            "spoke/governance.yaml:4:18  use case 'support' covers category 'order', which intents.yaml doesn't have ~ orders",
        ),
    ),
    Break(
        "hours",
        "desk.yaml",
        "\"18:00\"",
        "\"08:00\"",
        (
            "spoke/desk.yaml:5:48  closes (08:00) must be after opens (09:00); write a night as two spans",
        ),
    ),
    Break(
        "hour of no day",
        "desk.yaml",
        "\"18:00\"",
        "\"25:00\"",
        (
            "spoke/desk.yaml:5:48  closes is '25:00'; the day has 00:00 to 23:59",
        ),
    ),
    Break(
        "shrinking share",
        "rollout.yaml",
        "share_percent: 100",
        "share_percent: 2",
        (
            "spoke/rollout.yaml:3:33  phase 'full' has a smaller share than 'pilot' before it; a share only grows",
        ),
    ),
    Break(
        "no override words",
        "guardrails.yaml",
        "override_words: [agent, human]",
        "override_words: []",
        (
            "spoke/guardrails.yaml:1:17  override_words is empty; at least one word must always bring a person",
        ),
    ),
    Break(
        "pattern doesn't compile",
        "guardrails.yaml",
        "'SP-\\d{5}'",
        "'SP-('",
        (
            "spoke/guardrails.yaml:22:30  the pattern isn't a regular expression: missing ), unterminated subpattern at position 3",
        ),
    ),
    Break(
        "pattern runs away",
        "guardrails.yaml",
        "'SP-\\d{5}'",
        "'(\\d+)+x'",
        (
            "spoke/guardrails.yaml:22:30  the pattern repeats what repeats itself, which can take forever; bound it as in {1,9}",
        ),
    ),
    Break(
        "prompt names unknown",
        "prompts/answer.md",
        "{{ conversation }}",
        "{{ conversation }}\nToday is {{ todya }}",
        (
            "spoke/prompts/answer.md:9:13  the template names 'todya', which the front matter doesn't declare in variables",
        ),
    ),
    Break(
        "prompt declares too much",
        "prompts/answer.md",
        "variables: [passages, conversation]",
        "variables: [passages, conversation, today]",
        (
            "spoke/prompts/answer.md:3:37  variable 'today' is declared and never named in the template",
        ),
    ),
    Break(
        "prompt variable nobody gives",
        "prompts/answer.md",
        "variables: [passages, conversation]",
        "variables: [passages, conversaton]",
        (
            "spoke/prompts/answer.md:3:23  variable 'conversaton' isn't given to this prompt; given are assistant, today, passages or conversation ~ conversation",
            "spoke/prompts/answer.md:8:4  the template names 'conversation', which the front matter doesn't declare in variables ~ conversaton",
        ),
    ),
    Break(
        "prompt that can't be read",
        "prompts/answer.md",
        "{% endfor %}",
        "{% endfr %}",
        (
            "spoke/prompts/answer.md:7:1  the template can't be read: Encountered unknown tag 'endfr'. Jinja was looking for the following tags: 'endfor' or 'else'. The innermost block that needs to be closed is 'for'.",
        ),
    ),
    Break(
        "prompt without front matter",
        "prompts/answer.md",
        "---\npurpose",
        "purpose",
        (
            "spoke/prompts/answer.md:1:1  front matter is missing; a prompt starts with --- and its purpose and variables, closed by ---",
        ),
    ),
    Break(
        "dates in the wrong order",
        "knowledge/delivery.md",
        "review_by: 2030-01-01",
        "valid_from: 2026-05-01\nvalid_until: 2026-04-01",
        (
            "spoke/knowledge/delivery.md:4:14  valid_until (2026-04-01) is before valid_from (2026-05-01)",
        ),
    ),
    Break(
        "key in a setting",
        "assistant.yaml",
        "title: Spoke",
        "title: sk-abcdefghijklmnopqrstuvwx",
        (
            "spoke/assistant.yaml:2:8  this looks like a secret (sk-a…, 27 characters); take it out, replace it where it was issued, and name an environment variable instead",
        ),
    ),
    Break(
        "key in knowledge",
        "knowledge/delivery.md",
        "Late parcels",
        "Late AKIAABCDEFGHIJKLMNOP",
        (
            "spoke/knowledge/delivery.md:9:9  this looks like a secret (AKIA…, 20 characters); take it out, replace it where it was issued, and name an environment variable instead",
        ),
    ),
    Break(
        "value as a secret's name",
        "connectors.yaml",
        "secret: SHOP_KEY",
        "secret: hunter2!",
        (
            "spoke/connectors.yaml:5:13  secret must be the name of an environment variable or of a secrets file, never the value",
        ),
    ),
)  # fmt: skip


class TestOneBreak:
    @pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.name.replace(" ", "_"))
    def test_is_said_at_its_place(self, broken: Break, spoke: dict[str, bytes], faults_of: FaultsOf) -> None:
        text = spoke[broken.file].decode()
        assert text.count(broken.old) == 1, "the edit must be unambiguous"
        spoke[broken.file] = text.replace(broken.old, broken.new).encode()
        assert faults_of(spoke) == list(broken.faults)


class TestFiles:
    @pytest.mark.parametrize("missing", ["assistant.yaml", "intents.yaml", "guardrails.yaml", "desk.yaml", "prompts/answer.md"])  # fmt: skip
    def test_each_required_file_is_asked_for(
        self, missing: str, spoke: dict[str, bytes], faults_of: FaultsOf
    ) -> None:
        del spoke[missing]
        assert faults_of(spoke) == [f"spoke/{missing}  the file is missing; every assistant needs it"]

    def test_optional_files_may_be_missing(self, spoke: dict[str, bytes], faults_of: FaultsOf) -> None:
        for path in ("rollout.yaml", "governance.yaml", "cases/orders.yaml", "knowledge/cancelling.md"):
            del spoke[path]
        assert faults_of(spoke) == []

    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("intent.yaml", "spoke/intent.yaml  this file isn't part of an assistant folder ~ intents.yaml"),
            ("workflow/x.yaml", "spoke/workflow/x.yaml  the folder workflow/ isn't part of an assistant folder ~ workflows"),
            ("workflows/other.yml", "spoke/workflows/other.yml  workflows/ holds .yaml files only ~ other.yaml"),
            ("prompts/answr.md", "spoke/prompts/answr.md  nothing uses a prompt 'answr'; prompts are answer, summarise, rewrite or judge ~ answer"),
            ("knowledge/list.xlsx", "spoke/knowledge/list.xlsx  knowledge/ reads .md, .markdown, .html, .htm, .txt, .pdf, .docx or .csv files; convert this one"),
            ("knowledge/empty.md", "spoke/knowledge/empty.md  the document is empty; write it or delete it"),
            ("knowledge/gone.pdf.meta.yaml", "spoke/knowledge/gone.pdf.meta.yaml  no document stands beside this file; it describes NAME where the document is knowledge/NAME"),
        ],
    )  # fmt: skip
    def test_what_nothing_would_read(
        self, path: str, said: str, spoke: dict[str, bytes], faults_of: FaultsOf
    ) -> None:
        prompt = b"---\npurpose: x\nvariables: [passages]\n---\n{{ passages }}\n"
        spoke[path] = b" \n" if "empty" in path else prompt if "prompts" in path else b"title: x\n"
        assert faults_of(spoke) == [said]

    def test_bytes_that_are_no_text(self, spoke: dict[str, bytes], faults_of: FaultsOf) -> None:
        spoke["desk.yaml"] = spoke["desk.yaml"].replace(b"How was", b"How \xff was")
        assert faults_of(spoke) == [
            "spoke/desk.yaml:10:17  the file isn't UTF-8 text from here on; save it as UTF-8"
        ]


class TestSeveralFaults:
    def test_all_are_told_at_once_sorted_by_file_and_line(self, spoke: dict[str, bytes]) -> None:
        spoke["intents.yaml"] = spoke["intents.yaml"].replace(b"risk: low", b"risk: tiny")
        spoke["intents.yaml"] = spoke["intents.yaml"].replace(b"category: chat", b"category: chats")
        spoke["assistant.yaml"] = spoke["assistant.yaml"].replace(b"[extractive]", b"[main]")
        spoke["workflows/cancel.yaml"] = spoke["workflows/cancel.yaml"].replace(
            b"shop.order\n", b"shp.order\n"
        )
        with pytest.raises(FolderFaults, match="4 faults; nothing was changed") as error:
            read_files(spoke, "spoke")
        places = [fault.place for fault in error.value.faults]
        assert places == [
            "spoke/assistant.yaml:11:15",
            "spoke/intents.yaml:9:11",
            "spoke/intents.yaml:37:15",
            "spoke/workflows/cancel.yaml:11:11",
        ]

    def test_a_file_that_cannot_be_read_is_not_blamed_on_others(
        self, spoke: dict[str, bytes], faults_of: FaultsOf
    ) -> None:
        spoke["intents.yaml"] = b"categories: [\n"
        spoke["desk.yaml"] = b"- no\n"
        assert faults_of(spoke) == [
            "spoke/desk.yaml:1:1  the file is a list; it must be a mapping of keys to values",
            "spoke/intents.yaml:2:1  a value is missing or a bracket isn't closed",
        ]


class TestNearestOf:
    def test_finds_a_misspelt_name(self) -> None:
        assert nearest_of("billing.refund_paymnt", ["billing.refund", "billing.refund_payment"]) == (
            "billing.refund_payment"
        )

    def test_proposes_nothing_where_nothing_is_alike(self) -> None:
        assert nearest_of("zebra", ["queue", "shop"]) is None


class TestFault:
    def test_prints_without_a_place(self) -> None:
        assert str(Fault("a.yaml", None, None, "is missing")) == "a.yaml  is missing"

    def test_aligns_the_nearest_name_with_the_sentence(self) -> None:
        assert (
            str(Fault("a.yaml", 3, 1, "unknown", "known"))
            == "a.yaml:3:1  unknown\n            nearest: known"
        )


class TestWords:
    def test_choices(self) -> None:
        assert choice_of(["low", "medium", "high"]) == "low, medium or high"
        assert choice_of(["one"]) == "one"

    def test_shortens_to_one_line(self) -> None:
        assert shortened("a\n  b " + "c" * 80, length=10) == "a b ccccc…"
