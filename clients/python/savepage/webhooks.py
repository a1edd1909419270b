"""Signatures of callbacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping

TOLERANCE = 300
"""Seconds by which the timestamp of a callback may differ from this machine's clock."""


def verify_webhook(secrets: Iterable[str], headers: Mapping[str, str], body: bytes, now: float | None = None) -> bool:
    """Check the webhook- headers (Standard Webhooks) of a callback.

    Give the raw body as it was received, and all secrets that are valid now. A secret that is empty or malformed raises
    ValueError: with an empty one anybody could sign.
    """
    keys = [_key(secret) for secret in secrets]
    lower = {name.lower(): value for name, value in headers.items()}
    identity, timestamp = lower.get("webhook-id", ""), lower.get("webhook-timestamp", "")
    if not identity or not timestamp.isascii() or not timestamp.isdigit():
        return False
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE:
        return False
    for key in keys:
        digest = hmac.new(key, f"{identity}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        want = b"v1," + base64.b64encode(digest)
        for one in lower.get("webhook-signature", "").split():
            if hmac.compare_digest(one.encode(), want):
                return True
    return False


def verify_signature(secrets: Iterable[str], signature: str, body: bytes) -> bool:
    """Check X-Signature, which has no timestamp. Prefer verify_webhook."""
    usable = list(secrets)
    for secret in usable:
        _key(secret)
    return any(
        hmac.compare_digest(signature.encode(), hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode())
        for secret in usable
    )


def _key(secret: str) -> bytes:
    """Return the bytes of a secret, or raise ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("a webhook secret is whsec_ and base64; this one is empty or malformed")
    return key
