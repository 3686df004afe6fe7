"""What the webhook of a chat takes: blocks for Slack, an Adaptive Card for Teams, and a text for any other chat."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final


class Chat(StrEnum):
    """The kind of chat behind a webhook."""

    SLACK = "slack"
    TEAMS = "teams"
    TEXT = "text"


_HOSTS: Final = {
    "slack.com": Chat.SLACK,
    "slack-gov.com": Chat.SLACK,
    "office.com": Chat.TEAMS,
    "azure.com": Chat.TEAMS,
    "powerplatform.com": Chat.TEAMS,
}
"""The domains of the webhooks: those of Teams are workflows of Power Automate."""
_LINES: Final = 40
"""Slack takes 50 blocks in a message."""
_LONGEST: Final = 600
"""Characters of a line: a card for Teams has at most 28 KB, and a block for Slack 3,000 characters."""


def chat_of(host: str) -> Chat:
    """The kind of chat at a host; `TEXT` for one that nobody knows."""
    return next((chat for domain, chat in _HOSTS.items() if host == domain or host.endswith(f".{domain}")), Chat.TEXT)


def message(title: str, lines: Sequence[str], chat: Chat) -> dict[str, Any]:
    """A message as the chat takes it. Of many lines, it shows the first ones and the number of the others."""
    shown = [line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…" for line in lines[:_LINES]]
    if more := len(lines) - len(shown):
        shown.append(f"… and {more} more.")
    match chat:
        case Chat.SLACK:
            blocks = [{"type": "header", "text": _plain(title)}]
            blocks += [{"type": "section", "text": _plain(line)} for line in shown]
            return {"text": title, "blocks": blocks}
        case Chat.TEAMS:
            head = _card_text(title) | {"weight": "Bolder", "size": "Medium"}
            card = {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [head, *map(_card_text, shown)],
            }
            content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
            return {"type": "message", "attachments": [content]}
        case Chat.TEXT:
            return {"text": "\n".join((title, *shown))}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _card_text(text: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True}
