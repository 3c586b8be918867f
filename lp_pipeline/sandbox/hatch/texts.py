"""Generated messages between contacts and a company in Hatch.

Belongs here: message texts, and the columns specific to a text, an email or a call. Not here: who sends what when
(conversations.py).
"""

from collections.abc import Callable
from random import Random

from lp_pipeline.sandbox.world.stamps import Record

TEXTS_IN = [
    "Yes please, Thursday at 10 works",
    "Who is this?",
    "Can you send the quote again? I can't find it",
    "We went with somebody else, thanks",
    "Running 15 min late 😅",
    "👍",
    "Sí, mañana por la tarde está bien. ¡Gracias!",
    "Two questions:\n1. Is the deposit refundable?\n2. Do you haul away the old windows?",
    "Call me at 518-555-0142 after 5",
    "STOP",
]
TEXTS_OUT = [
    "Hi, this is Elm Street Exteriors. You asked about a free estimate. What day suits you?",
    "Thanks! Your appointment is confirmed. Reply C to change it.",
    "Just checking in: any questions about the estimate we left with you?",
    "Our crew will be there between 8 and 10 am 🏡\nPlease keep the driveway clear.",
    "We have an opening tomorrow at 2:30 pm. Shall I put you down?",
]
EMAILS_IN = [
    "<div>Hello,<br><br>please move the measure to <b>next week</b>.<br>Thanks &amp; best regards</div>",
    "Attached is the HOA form you asked for.\n\nSent from my phone",
]
EMAILS_OUT = [
    "<html><head><style>p { color: #222 }</style></head><body><p>Thank you for your interest in new "
    "<strong>windows</strong>.</p><p>Here is what happens next:</p><ul><li>We measure</li><li>You choose</li>"
    '<li>We install</li></ul><p><a href="https://example.com/book">Book a time</a></p></body></html>',
    "<p>Your estimate is ready &#8211; it is good for 30&nbsp;days.</p><p>Questions? Just reply.</p>",
]
REMARKS = ["Spoke with the homeowner, will call back after the holiday.", "Wants financing options.", "", None]
VOICEMAIL = "Hi, this is Elm Street Exteriors about your estimate. Please call us back at 518-555-0100."


def text(rng: Random) -> Record:
    """A text message, inbound or outbound about equally often."""
    if rng.random() < 0.45:
        return _inbound(rng) | {"category": "sms", "type": "text", "body": rng.choice(TEXTS_IN)}
    return _outbound(rng) | {"category": "sms", "type": "text", "body": rng.choice(TEXTS_OUT)}


def email(rng: Random) -> Record:
    """An email, often HTML."""
    if rng.random() < 0.3:
        return _inbound(rng) | {"category": "email", "type": "email", "body": rng.choice(EMAILS_IN)}
    return _outbound(rng) | {"category": "email", "type": "email", "body": rng.choice(EMAILS_OUT)}


def call(rng: Random) -> Record:
    """A completed call, sometimes with a remark."""
    way = _inbound(rng) if rng.random() < 0.4 else _outbound(rng) | {"actor_type": "hatch_user"}
    spoken = {"body": rng.choice(REMARKS), "delivery_status": "completed", "duration": rng.randrange(20, 900)}
    return way | {"category": "call", "type": "call"} | spoken


def voicemail_drop(rng: Random) -> Record:
    """A voicemail drop with its recording."""
    number = f"{rng.randrange(10**9):09}"
    left = {"body": VOICEMAIL, "duration": 18, "recording_url": f"https://recordings.example.com/{number}.mp3"}
    return _outbound(rng) | {"category": "call", "type": "voicemail drop"} | left


def _inbound(_: Random) -> Record:
    return {"direction": "inbound", "actor_type": "contact", "delivery_status": "received"}


def _outbound(rng: Random) -> Record:
    return {
        "direction": "outbound",
        "actor_type": rng.choice(("hatch_user", "automated agent", "automated agent")),
        "delivery_status": "failed" if rng.random() < 0.08 else "delivered",
    }


KINDS: tuple[Callable[[Random], Record], ...] = (*[text] * 6, *[email] * 2, call, voicemail_drop)
