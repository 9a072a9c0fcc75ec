"""The words of an error body, without secrets."""

from __future__ import annotations

import re

import msgspec

from certwright.rest.secret_text import HIDDEN

LONGEST_WORDS = 500
_CREDENTIALS = re.compile(r"//[^/@\s'\"]*@")
# aiohttp names the TLS context by its address in memory, which would make each text unlike the last.
_TLS = re.compile(r" ssl:(?:<[^>]*>|\w+)")
_TEXT_KEYS = ("message", "error_description", "detail", "title", "Message", "error_message")


def failure_words(error: Exception) -> str:
    """What a failed connection says of itself, alike each time, without credentials in URLs (as a proxy's may be)."""
    words = _TLS.sub("", str(error) or type(error).__name__)
    return _CREDENTIALS.sub("//", words)[:LONGEST_WORDS]


def redact(words: str, secrets: list[str]) -> str:
    """The words without any of the secrets, also where one of them is the credentials part of a header value."""
    parts = {part for secret in secrets for part in (secret, *secret.split()) if len(part) >= 4}
    for part in sorted(parts, key=len, reverse=True):
        if part.lower() not in {"bearer", "basic", "token"}:
            words = words.replace(part, HIDDEN)
    return words


def words_of(body: bytes) -> str:
    """What an error body says, from the shapes that cloud APIs use; empty where it has no words (HTML, no JSON)."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return " ".join(_words(document, depth=6).split())[:LONGEST_WORDS]


def _words(value: object, depth: int) -> str:
    if isinstance(value, str):
        return value
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(item, depth - 1) for item in value[:10])))
    if not isinstance(value, dict):
        return ""
    code = value.get("code")
    found = [_words(value[key], depth - 1) for key in ("error", "errors", "error_chain") if key in value]
    text = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str) and value[key]), "")
    parts = [text, *found] if text else found
    said = ": ".join(filter(None, parts))
    return f"{said} ({code})" if said and isinstance(code, int | str) and code else said
