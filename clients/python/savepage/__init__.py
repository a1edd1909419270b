"""Client of a SavePage server: pictures of web pages. Standard library only.

    from savepage import Client

    client = Client("http://127.0.0.1:8080", key)
    capture, picture = client.picture({"url": "https://example.com", "fullpage": True})
"""

from .client import (
    INBOX_URL,
    Accepted,
    AcceptedBatch,
    Batch,
    Capture,
    Client,
    Event,
    Inbox,
    InboxEvent,
    SavePageError,
    Timeout,
)
from .links import image_link
from .options import Options
from .webhooks import verify_signature, verify_webhook

__all__ = [
    "Accepted",
    "AcceptedBatch",
    "Batch",
    "Capture",
    "Client",
    "Event",
    "INBOX_URL",
    "Inbox",
    "InboxEvent",
    "Options",
    "SavePageError",
    "Timeout",
    "image_link",
    "verify_signature",
    "verify_webhook",
]
__version__ = "0.2.0"
