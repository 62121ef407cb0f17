"""Words by which an attempt to give an assistant new orders can be known, in groups.

Which group a word is in says nothing alone; the trained head weighs them. Two words in one entry count
where they follow each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GROUPS: Final[Mapping[str, str]] = {
    "override": """ignore ignores ignoring ignored disregard disregarding forget forgetting override
        overriding overrides overrule bypass bypassing circumvent supersede neglect dismiss
        discard erase delete_all stop_following don't_follow not_follow replace_your""",
    "orders": """instruction instructions prompt prompts directive directives guideline guidelines policy
        policies rule rules restriction restrictions programming constraint constraints safeguard
        safeguards filter filters orders protocol protocols programmed limitations""",
    "whose": """above previous previously prior preceding earlier following your hidden secret initial
        original system developer internal confidential before these all any everything""",
    "machine": """chatgpt gpt gpt3 gpt4 openai ai llm chatbot bot assistant robot model claude bard llama
        gemini language_model artificial_intelligence virtual_machine terminal interpreter neural""",
    "part": """pretend pretending persona character characters simulate simulates simulation simulator
        imagine impersonate embody roleplay roleplaying role-play role-playing act_as acting_as
        act_like in_character hypothetical hypothetically fictional fiction fantasy scenario novel
        screenplay story play_the the_role ego game playing fanfiction narrator protagonist
        villain""",
    "addressed": """you you're you'll yourself your u""",
    "commanded": """you_are you_will you_must you_can you_have you_shall you_should you're_now are_now
        your_task your_job your_role your_goal your_name your_purpose your_response your_responses
        your_answer your_answers your_reply your_output your_next no_longer from_now now_on""",
    "unbound": """jailbreak jailbroken dan unrestricted unfiltered uncensored unlimited unleashed amoral
        unethical evil immoral anything_now developer_mode dev_mode debug_mode god_mode admin_mode
        maintenance_mode no_limits no_limitations no_restrictions no_rules no_filter no_filters
        no_filtering free_from freed sudo root_access opposite_mode no_ethical no_moral
        any_restrictions any_limitations""",
    "unrefusing": """refuse refusing decline disclaimer disclaimers warnings illegal legality ethics ethical
        ethically moral morals morality consequences comply complies obey obeys censorship
        apologize apologise apologies never_say not_say can't_say cannot_refuse can't_refuse
        never_refuse inappropriate offensive harmful dangerous unlawful as_an content_policy""",
    "saying": """say respond reply answer answering print output write type return echo display state utter
        emit complete""",
    "exactly": """only exactly just verbatim nothing word-for-word precisely literally start_with begin_with
        starting_with beginning_with start_your begin_your end_with followed_by access_granted
        must_start must_begin the_words the_word the_phrase the_following this_sentence exact""",
    "retelling": """repeat reveal disclose leak recite reproduce regurgitate dump spell summarise summarize
        translate rephrase paraphrase encode convert list print output echo quote copy transcribe
        rewrite reword restate describe explain what show tell give display complete analyze
        analyse""",
    "told": """above instructions prompt rules told given secret password code passphrase configuration
        conversation hidden confidential text message sentence paragraph context preceding system
        everything were_told were_given you_know defense""",
    "secrets": """secret passphrase passcode password code key access_code secret_key secret_code
        security_code correct_password the_password hidden_text""",
    "harm": """bomb bombs explosive explosives weapon weapons malware ransomware virus hack hacking
        exploit exploits phishing steal stealing murder kill killing poison poisonous meth cocaine
        heroin counterfeit launder laundering terrorist terrorism racist sexist nazi holocaust
        genocide porn pornographic nsfw erotic blackmail stalk stalking torture cannibal cannibals
        defamatory keylogger hitler slurs insider_trading identity_theft deepfake revenge suicide
        anorexia misinformation disinformation hoax conspiracy scam ponzi fraud fraudulent forge
        pedophilia child_pornography dogfighting predator untraceable ddos cheat plagiarize bully
        harass harassment bribe smuggle traffick""",
    "ordering": """write create develop draft provide give describe explain list generate compose outline
        design teach tell show produce construct detail make include add translate convert replace
        use insert modify summarize""",
    "answer_shape": """your_response your_answer your_reply your_message your_output in_response the_response
        every_response each_response the_answer every_answer the_reply""",
    "delimiters": """end_of begin_of new_instructions new_instruction new_rules new_rule new_task new_prompt
        end_instructions prompt_end user_input admin administrator debug override_code testing
        the_end test_mode""",
    "code": """def import print return function eval exec select drop lambda var const str int len true
        false null while for_i elif else printf console""",
}
"""The words of each group; `_` joins two that follow each other."""

NEAR: Final[tuple[tuple[str, str, int], ...]] = (
    ("override", "orders", 7),
    ("whose", "orders", 3),
    ("retelling", "told", 8),
    ("saying", "exactly", 4),
    ("commanded", "machine", 8),
    ("commanded", "unbound", 12),
    ("part", "addressed", 6),
    ("ordering", "harm", 12),
    ("ordering", "answer_shape", 12),
    ("machine", "unrefusing", 15),
    ("part", "harm", 25),
)
"""Groups of which a word of the second within so many words after (or before) one of the first counts."""
