"""The form in which each receiver takes a message."""

import hashlib
from typing import Any

from mlops.monitoring.alerting.message import Message, News, shortened

CARD_VERSION = "1.4"
"""What Teams shows; newer elements it leaves out."""
_COLOURS = {"critical": "attention", "error": "attention", "warning": "warning", "info": "accent"}
_SLACK_HEADER, _SLACK_TEXT, _PAGER_SUMMARY, _PAGER_KEY = 150, 3000, 1024, 255
_NO_LINKS = str.maketrans("[]", "()")


def teams(message: Message) -> dict[str, Any]:
    """Return an Adaptive Card as a Workflows webhook of Teams takes it."""
    colour = "good" if message.news is News.RESOLVED else _COLOURS[message.severity]
    body: list[dict[str, Any]] = [
        {
            "type": "Container",
            "style": "emphasis",
            "bleed": True,
            "items": [
                {
                    **_text(message.heading),
                    "size": "large",
                    "weight": "bolder",
                    "color": colour,
                }
            ],
        },
        _text(message.tells),
        {
            "type": "FactSet",
            "facts": [{"title": name, "value": _plain(value)} for name, value in message.facts],
        },
    ]
    if message.lines:
        body.append({**_text("Done"), "weight": "bolder", "spacing": "medium"})
        body += [{**_text(each), "spacing": "small"} for each in message.lines]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": CARD_VERSION,
        "body": body,
    }
    if message.url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Look", "url": message.url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def slack(message: Message) -> dict[str, Any]:
    """Return a message of blocks, with a text for who sees no blocks."""
    facts = [
        {"type": "mrkdwn", "text": f"*{name}*\n{_entities(value)}"} for name, value in message.facts
    ]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _header(message.heading)},
        {"type": "section", "text": _mrkdwn(_entities(shortened(message.tells)))},
        {"type": "section", "fields": facts},
    ]
    if message.lines:
        done = "\n".join(f"• {_entities(each)}" for each in message.lines)
        blocks.append({"type": "section", "text": _mrkdwn(f"*Done*\n{done}")})
    if message.url:
        blocks.append({"type": "section", "text": _mrkdwn(f"<{message.url}|Look>")})
    return {
        "text": _entities(shortened(f"{message.heading}: {message.reason}", 2 * _SLACK_HEADER)),
        "blocks": blocks,
    }


def pager(message: Message, routing_key: str) -> dict[str, Any]:
    """Return an event of PagerDuty's Events API v2: of one alarm all have the same key."""
    resolved = message.news is News.RESOLVED
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "resolve" if resolved else "trigger",
        "dedup_key": _short_key(message.key),
    }
    if resolved:
        return event
    details = {**dict(message.facts), "Done": " | ".join(message.lines)}
    event["payload"] = {
        "summary": shortened(f"{message.heading}: {message.reason}", _PAGER_SUMMARY),
        "source": message.endpoint,
        "severity": message.severity,
        "timestamp": message.time.isoformat(),
        "component": message.subject,
        "class": message.key.split("/")[1] if "/" in message.key else message.key,
        "custom_details": details,
    }
    if message.url:
        event["links"] = [{"href": message.url, "text": "Look"}]
    return event


def _text(text: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": _plain(shortened(text)), "wrap": True}


def _plain(text: str) -> str:
    """Return a text in which Teams finds no address."""
    return text.translate(_NO_LINKS)


def _header(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": shortened(text, _SLACK_HEADER), "emoji": False}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text[:_SLACK_TEXT]}


def _entities(text: str) -> str:
    """Return a text in which Slack finds no address and no mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short_key(key: str) -> str:
    if len(key) <= _PAGER_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"{key[: _PAGER_KEY - len(digest) - 1]}-{digest}"
