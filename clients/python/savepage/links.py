"""Signed links to pictures."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import urllib.parse
from typing import Any

from .options import Options

_SECRET = re.compile(r"(lnk_[0-9A-Za-z]{12})_[0-9A-Za-z]{32}")


def image_link(base_url: str, secret: str, options: Options, expires: float | None = None) -> str:
    """Return a link that answers with the picture and needs no key, for an <img>.

    secret is a link secret of the account, expires Unix seconds from which the link is refused, or None for never. Make
    links on your server: whoever has the secret can sign any capture.
    """
    form = _SECRET.fullmatch(secret)
    if not form:
        raise ValueError('the link secret is not "lnk_", 12 letters or digits, "_" and 32 letters or digits')
    pairs = [(name, _text(one)) for name, value in sorted(options.items()) for one in _several(value)]
    if expires is not None:
        pairs.append(("exp", str(int(expires))))
    query = urllib.parse.urlencode(pairs)
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{base_url.rstrip('/')}/v1/image?{query}&sig={form[1]}.{signature}"


def _several(value: Any) -> list[Any]:
    """The values of a parameter: a list of texts is given one by one, everything else at once."""
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return list(value)
    return [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
