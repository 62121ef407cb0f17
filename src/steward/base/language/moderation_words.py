"""Words that say what a harmful text is about, in groups; a group alone decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GROUPS: Final[Mapping[str, str]] = {
    "sexual": """sex sexual sexually sexy nude nudes naked penis vagina breasts breast boobs tits nipple
        nipples cock dick pussy clit clitoris cum orgasm orgasms masturbate masturbating
        masturbation moan moans moaned moaning thrust thrusting thrusts erection erect aroused
        arousal horny erotic erotica porn pornographic blowjob handjob fuck fucks fucked fucking
        anal oral lick licked licking suck sucked sucking strip stripped undress undressed
        lingerie panties bra bdsm fetish kink kinky bondage dominatrix submissive seduce seduced
        seductive intercourse foreplay climax ejaculate ejaculation crotch butt buttocks ass
        thighs groin prostitute escort hooker slut whore incest virgin virginity threesome orgy
        dildo vibrator condom intimate lust sensual smut""",
    "adult_trade": """adult cam cams video videos amateur amateurs porno porn tube busty webcam xxx dating
        escorts escort gratis free movies movie photos pics couples mature milf blonde brunette
        redhead curvy massage tonight site sites chat ladies hot singles hookup swingers stripper
        strip_club camgirl onlyfans uncensored""",
    "romance": """mouth hands fingers hole tight loves felt curves boyfriend girlfriend stepbrother kiss
        kissed kissing lips bed bedroom lover lovers love touch touched caress caressed naughty
        body skin wet hard deep tongue neck hips pleasure passion desire gasp gasped whisper
        whispered clothes shirt dress bath shower massage""",
    "young": """child children kid kids girl girls boy boys teen teens teenage teenager minor minors
        underage schoolgirl school student daughter son stepdaughter stepson stepsister stepmom
        stepdad niece nephew 10-year-old 11-year-old 12-year-old 13-year-old 14-year-old
        15-year-old 16-year-old 17-year-old little young toddler baby loli""",
    "peoples": """black blacks white whites jew jews jewish muslim muslims islam islamic christian
        christians immigrant immigrants migrants mexican mexicans asian asians chinese indian
        indians arab arabs african africans gay gays lesbian lesbians homosexual homosexuals
        transgender trans women woman men race races racial religion ethnic ethnicity gypsies
        gypsy refugees foreigners disabled autistic liberals republicans feminists latinos
        hispanic""",
    "generalising": """they them their themselves all every these those people kind race our country society
        world culture influence control controlled media government europe european africa israel
        east nation take_over taking_over never always""",
    "spoken_to": """you your ur you're u yourself yourselves""",
    "of_oneself": """i my me i'm i've i'd i'll myself feel feeling felt can't don't anymore""",
    "contempt": """infidel infidels evil racist hate hates hated hatred disgusting filthy filth vermin
        animals subhuman inferior superior scum trash garbage dirty lazy stupid dumb idiots
        parasites plague disease invaders deport deported exterminate exterminated eradicate
        cleanse gas chambers holocaust nazi nazis hitler supremacy supremacist kkk genocide lynch
        slave slaves slavery savages primitive barbaric terrorists rapists thugs criminals burden
        degenerate perverts sinners faggot faggots nigger niggers nigga retard retarded retards
        kike spic chink tranny dyke whites-only abomination""",
    "insult": """bitches hoes hoe assholes shit shitty bullshit racist rapist pedo fuck fucker motherfucker
        stfu scum wanker twat idiot moron stupid loser ugly fat pathetic worthless bitch bastard
        asshole cunt prick jerk dumbass shut useless disgrace embarrassment coward creep weirdo
        freak clown fool joke shame ashamed pig cow dog rat hate scumbag nobody""",
    "violence": """rope injuries injured pushed slammed grabbed struggling gagged tied hostage kidnapped kill
        kills killed killing murder murdered murdering murderer stab stabbed stabbing shoot shot
        shooting shoots gun guns knife blade blood bloody bleeding corpse corpses dead death dies
        died die beat beaten beating punch punched kick kicked strangle strangled choke choked
        torture tortured torturing behead beheaded decapitated slaughter slaughtered massacre burn
        burned bomb bombs bombing explosion explode attack attacked attacking fight war execute
        executed execution hang hanged rape raped raping hurt wound wounds injured scream screamed
        screaming screams brutal brutally violent violence victim victims weapon weapons terrorist
        terrorism isis jihad assassinate dismember mutilate guts skull flesh gore gory""",
    "threat": """i'll i'm_going i_will you'll going_to coming_for find_you hurt_you kill_you watch_out
        deserve deserves must_die should_die burn_in hope_you your_family where_you pay_for regret
        warn warning""",
    "self_harm": """self harming harm hide smoking arms thighs scissors suicide suicidal self-harm selfharm
        cut cutting myself overdose pills hang kill_myself hurt_myself harm_myself end_it end_my
        want_to_die die hopeless worthless depressed depression anorexia anorexic bulimia purge
        purging starve starving noose wrists bridge razor scars goodbye alone empty numb pain""",
    "story": """write story stories scene chapter script poem character characters roleplay narrative
        novel fanfiction plot continue dialogue""",
    "advice": """how help need want should question advice please can_you what_is explain history news
        article report study research education law policy therapy doctor treatment support""",
}
"""The words of each group; `_` joins two that follow each other."""
