import base64
import hashlib
import hmac
import time


def verify_webhook(secrets, headers, body, now=None):
    """Check the webhook- headers (Standard Webhooks). Give the raw body as bytes, and all secrets that are valid now."""
    lower = {name.lower(): value for name, value in headers.items()}
    id, timestamp = lower.get("webhook-id", ""), lower.get("webhook-timestamp", "")
    if not id or not timestamp.isascii() or not timestamp.isdigit():
        return False
    if abs((time.time() if now is None else now) - int(timestamp)) > 300:
        return False
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        if not key:
            continue  # with an empty key anybody could sign
        digest = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        want = b"v1," + base64.b64encode(digest)
        for one in lower.get("webhook-signature", "").split():
            if hmac.compare_digest(one.encode(), want):
                return True
    return False


def verify_x_signature(secrets, signature, body):
    """Check X-Signature, which has no timestamp. Prefer verify_webhook."""
    return any(
        hmac.compare_digest(signature.encode(), hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode())
        for secret in secrets
        if secret.removeprefix("whsec_")  # with an empty one anybody could sign
    )
