"""Calls to the API of a SavePage server."""

from __future__ import annotations

import base64
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypedDict, cast

from .links import image_link
from .options import Options

MAX_INLINE = 4 << 20
"""Bytes of the largest picture that comes in the answer; a larger one is fetched with a second request."""

INBOX_URL = "https://inbox.savepage.invalid/"
"""A callback_url that leads to the account's inbox at the server itself."""

FINAL = ("success", "failed", "canceled")

Status = Literal["queued", "running", "success", "failed", "canceled"]


class Accepted(TypedDict):
    """A capture that the server has stored and that will end."""

    capture_id: str
    status_url: str


class Capture(TypedDict, total=False):
    """A capture as the server shows it. What there is not is None or absent."""

    status: Status
    capture_id: str
    batch_id: str
    url: str
    image: str | None
    width: int | None
    height: int | None
    format: str | None
    size: int | None
    fullpage: bool
    captured_at: str | None
    created_at: str
    cached: bool
    error: dict[str, Any]
    failed_at: str
    canceled_at: str
    timing: dict[str, Any] | None
    report: dict[str, Any] | None
    metadata: Any
    deliveries: list[dict[str, Any]]
    image_base64: str


class AcceptedBatch(TypedDict):
    """A batch whose captures the server has stored and that will end."""

    batch_id: str
    capture_ids: list[str]
    status_url: str


class Batch(TypedDict, total=False):
    """A batch as the server shows it. status is "running", or "ended" when every capture has ended."""

    batch_id: str
    status: Literal["running", "ended"]
    counts: dict[str, int]
    created_at: str
    ended_at: str
    metadata: Any
    captures_url: str


class Event(NamedTuple):
    """An event of a capture: queued, started, phase, retried or done. data of done is the capture."""

    id: int
    name: str
    data: dict[str, Any]


class InboxEvent(TypedDict, total=False):
    """A callback that has arrived in the inbox. Each attempt of a delivery is one."""

    id: str
    type: Literal["capture", "batch", "test"]
    webhook_id: str
    capture_id: str
    batch_id: str
    attempt: int
    received_at: str
    after_ms: int
    method: str
    url: str
    headers: dict[str, str]
    body: str
    body_bytes: int
    verified: bool
    checks: list[dict[str, Any]]
    answer: str


class Inbox(TypedDict, total=False):
    """The receiver of the account's own, with a page of what has arrived there, newest first."""

    url: str
    answer: Literal["200", "500", "410", "slow"]
    events: list[InboxEvent]
    next_cursor: str


class Timeout(Exception):
    """What was waited for did not end in time. It goes on at the server."""


class SavePageError(Exception):
    """An error that the server or a capture has answered with.

    code is the stable name of the error, status that of HTTP (0 for the error of a capture that was looked up), errors the
    invalid fields, request_id what the server's log has too, retry_after seconds to wait before the same request may succeed.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 0,
        errors: Sequence[Mapping[str, Any]] = (),
        capture_id: str | None = None,
        retry_after: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.errors = list(errors)
        self.capture_id = capture_id
        self.retry_after = retry_after
        self.request_id = request_id

    @property
    def field(self) -> str | None:
        """Name of the first invalid field, such as "width" or "options.width"; None if no field is at fault."""
        return re.sub(r"^(body|query|header|path)\.", "", self.errors[0]["location"]) if self.errors else None


class Client:
    """Calls one server with one key. timeout bounds each request in seconds; it must be longer than the server waits for a
    picture, 25 s unless it is set otherwise."""

    def __init__(self, base_url: str, key: str, timeout: float = 120) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self._key = key

    def capture(self, options: Options, timeout: float | None = None) -> Capture:
        """Capture a page and wait for the end, also if that takes longer than the server waits in one request."""
        return self._capture(options, {}, timeout)

    def picture(self, options: Options, timeout: float | None = None) -> tuple[Capture, bytes]:
        """Capture a page and return the picture with it, most of the time in one request."""
        done = self._capture(options, {"inline": str(MAX_INLINE)}, timeout)
        encoded = done.pop("image_base64", None)
        if encoded is not None:
            return done, base64.b64decode(encoded)
        return done, self.image(done)

    def submit(self, options: Options, idempotency_key: str | None = None) -> Accepted:
        """Ask for a capture and return as soon as the server has stored it."""
        body = {**options} if options.get("callback_url") else {**options, "async": True}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return cast(Accepted, self._call("POST", "/v1/capture", body, headers=headers)[1])

    def get(self, capture_id: str) -> Capture:
        """Look a capture up."""
        return cast(Capture, self._call("GET", "/v1/captures/" + quote(capture_id))[1])

    def wait(self, capture_id: str, timeout: float | None = None) -> Capture:
        """Look a capture up until it has ended. Raises SavePageError for one that failed or was canceled."""
        return succeeded(cast(Capture, poll(lambda: self.get(capture_id), lambda c: c["status"] in FINAL, timeout)))

    def watch(self, capture_id: str) -> Iterator[Event]:
        """Yield the events of a capture, from queued to done. Reconnects when a connection breaks."""
        last = 0
        pause = 0.05
        while True:
            before = last
            try:
                for event in self._events(capture_id, last):
                    last = event.id
                    yield event
                    if event.name == "done":
                        return
            except (OSError, http.client.HTTPException):
                pass
            pause = 0.05 if last > before else min(pause * 2, 1)
            time.sleep(pause)

    def cancel(self, capture_id: str) -> None:
        """Cancel a capture that has not ended; delete one that has, with its picture."""
        self._call("DELETE", "/v1/captures/" + quote(capture_id))

    def image(self, capture: Capture) -> bytes:
        """Fetch the picture of a successful capture. It needs no key, and none is sent."""
        address = capture.get("image")
        if not address:
            raise ValueError(f"capture {capture.get('capture_id')} has no picture: it is {capture.get('status')}")
        with send(urllib.request.Request(address), self.timeout) as answer:
            return answer.read()

    def submit_batch(
        self,
        urls: Sequence[str] | None = None,
        captures: Sequence[Options] | None = None,
        options: Options | None = None,
        callback_url: str | None = None,
        batch_callback_url: str | None = None,
        metadata: Any = None,
        idempotency_key: str | None = None,
    ) -> AcceptedBatch:
        """Ask for up to 1,000 captures, all or none. Give urls or captures; options are those of all of them."""
        body = {
            "urls": list(urls) if urls is not None else None,
            "captures": list(captures) if captures is not None else None,
            "options": options,
            "callback_url": callback_url,
            "batch_callback_url": batch_callback_url,
            "metadata": metadata,
        }
        given = {name: value for name, value in body.items() if value is not None}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return cast(AcceptedBatch, self._call("POST", "/v1/batches", given, headers=headers)[1])

    def batch(self, batch_id: str) -> Batch:
        """Look a batch up."""
        return cast(Batch, self._call("GET", "/v1/batches/" + quote(batch_id))[1])

    def wait_batch(self, batch_id: str, timeout: float | None = None) -> Batch:
        """Look a batch up until every capture of it has ended."""
        return cast(Batch, poll(lambda: self.batch(batch_id), lambda b: b["status"] == "ended", timeout))

    def batch_captures(self, batch_id: str) -> Iterator[Capture]:
        """Yield the captures of a batch, newest first."""
        cursor = ""
        while True:
            query = {"batch_id": batch_id, "limit": "100", **({"cursor": cursor} if cursor else {})}
            page = self._call("GET", "/v1/captures?" + urllib.parse.urlencode(query))[1]
            yield from page["captures"]
            cursor = page.get("next_cursor", "")
            if not cursor:
                return

    def inbox(self, limit: int | None = None, cursor: str = "") -> Inbox:
        """Look into the inbox: one page of events, newest first."""
        query = {name: str(value) for name, value in {"limit": limit, "cursor": cursor}.items() if value}
        return cast(Inbox, self._call("GET", "/v1/inbox" + ("?" + urllib.parse.urlencode(query) if query else ""))[1])

    def wait_inbox(self, identity: str, timeout: float | None = None) -> InboxEvent:
        """Return the newest event of a capture or a batch in the inbox, as soon as there is one."""

        def look() -> InboxEvent | None:
            events = self.inbox(limit=100).get("events") or []
            return next((one for one in events if identity in (one.get("capture_id"), one.get("batch_id"))), None)

        return cast(InboxEvent, poll(look, lambda found: found is not None, timeout))

    def answer_inbox(self, answer: Literal["200", "500", "410", "slow"]) -> None:
        """Say how the inbox answers from now on, to see what becomes of callbacks."""
        self._call("PATCH", "/v1/inbox", {"answer": answer})

    def empty_inbox(self) -> None:
        """Remove all events from the inbox."""
        self._call("DELETE", "/v1/inbox")

    def link(self, secret: str, options: Options, expires: float | None = None) -> str:
        """Sign a link to the picture of a page that needs no key. The server is not asked."""
        return image_link(self.base_url, secret, options, expires)

    def _capture(self, options: Options, query: Mapping[str, str], timeout: float | None) -> Capture:
        path = "/v1/capture" + ("?" + urllib.parse.urlencode(query) if query else "")
        status, found = self._call("POST", path, options)
        if status == 202:
            return self.wait(found["capture_id"], timeout)
        return cast(Capture, found)

    def _call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data=content, method=method, headers=dict(headers or {}))
        request.add_header("Authorization", "Bearer " + self._key)
        if content is not None:
            request.add_header("Content-Type", "application/json")
        with send(request, self.timeout) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else {}

    def _events(self, capture_id: str, last: int) -> Iterator[Event]:
        request = urllib.request.Request(f"{self.base_url}/v1/captures/{quote(capture_id)}/events")
        request.add_header("Authorization", "Bearer " + self._key)
        request.add_header("Accept", "text/event-stream")
        if last:
            request.add_header("Last-Event-ID", str(last))
        with send(request, self.timeout) as answer:
            number, name, data = 0, "", ""
            for raw in answer:
                field, _, value = raw.decode().rstrip("\r\n").partition(":")
                value = value.removeprefix(" ")
                if field == "id":
                    number = int(value)
                elif field == "event":
                    name = value
                elif field == "data":
                    data += value
                elif not field and name:
                    yield Event(number, name, json.loads(data))
                    number, name, data = 0, "", ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keeps the key at home: a redirect to another host would carry the Authorization header along."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if req.has_header("Authorization"):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_opener = urllib.request.build_opener(_NoRedirect)


def send(request: urllib.request.Request, timeout: float) -> http.client.HTTPResponse:
    """Send a request. Raises SavePageError for every answer that is no success."""
    try:
        return cast(http.client.HTTPResponse, _opener.open(request, timeout=timeout))
    except urllib.error.HTTPError as refused:
        with refused:
            raise refusal(refused) from None


def refusal(answer: urllib.error.HTTPError) -> SavePageError:
    """Make an error of an answer."""
    text = answer.read().decode(errors="replace")
    after = answer.headers.get("Retry-After", "")
    try:
        problem = json.loads(text)
        code, message = problem["code"], problem["detail"]
    except (ValueError, KeyError, TypeError):
        return SavePageError("unknown", f"the server answered {answer.code}: {text[:200]}", answer.code)
    return SavePageError(
        code,
        message,
        answer.code,
        problem.get("errors") or (),
        problem.get("capture_id"),
        int(after) if after.isdigit() else None,
        problem.get("request_id"),
    )


def succeeded(capture: Capture) -> Capture:
    """Return a capture that has succeeded. Raises SavePageError for another."""
    identity = capture.get("capture_id")
    if capture["status"] == "failed":
        error = capture.get("error") or {}
        raise SavePageError(error.get("code", "unknown"), error.get("message", ""), capture_id=identity)
    if capture["status"] == "canceled":
        raise SavePageError("conflict", f"capture {identity} was canceled", capture_id=identity)
    return capture


def poll(look, ended, timeout):  # type: ignore[no-untyped-def]
    """Look until what is found has ended. Raises Timeout when that takes longer than so many seconds."""
    until = None if timeout is None else time.monotonic() + timeout
    pause = 0.05
    while True:
        found = look()
        if ended(found):
            return found
        if until is not None and time.monotonic() + pause > until:
            raise Timeout(f"not ended within {timeout} s")
        time.sleep(pause)
        pause = min(pause * 2, 1)


def quote(name: str) -> str:
    return urllib.parse.quote(name, safe="")
