"""Client of a SavePage server: pictures of web pages. Standard library only.

    from savepage import Client

    client = Client("http://127.0.0.1:8080", key)
    capture, picture = client.picture({"url": "https://example.com", "fullpage": True})
"""

from .client import AcceptedBatch, Accepted, Batch, Capture, Client, Event, SavePageError, Timeout
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
    "Options",
    "SavePageError",
    "Timeout",
    "image_link",
    "verify_signature",
    "verify_webhook",
]
__version__ = "0.2.0"
