#!/usr/bin/env python3
"""Receive SavePage's callbacks: check the signature, answer "OK", fetch the picture and save it.

    receiver.py [--secret SECRET] [--listen 127.0.0.1:8090] [--out DIR] [--count N]

Prints one line for each callback and ends after N of them. Standard library only.
"""

import argparse
import hashlib
import hmac
import json
import os
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

MAX_BODY = 1 << 20


def arguments():
    env = os.environ.get
    parser = argparse.ArgumentParser(description="Receive callbacks.")
    parser.add_argument("--secret", default=env("SAVEPAGE_WEBHOOK_SECRET"), help="webhook secret; SAVEPAGE_WEBHOOK_SECRET")
    parser.add_argument("--listen", default=env("RECEIVER_LISTEN", "127.0.0.1:8090"), help="host:port; RECEIVER_LISTEN")
    parser.add_argument("--out", default=env("RECEIVER_OUT", "."), help="folder for the pictures; RECEIVER_OUT")
    parser.add_argument("--count", type=int, default=int(env("RECEIVER_COUNT", "0")), help="end after this many; 0: never; RECEIVER_COUNT")
    args = parser.parse_args()
    if not args.secret:
        parser.error("no webhook secret: pass --secret or set SAVEPAGE_WEBHOOK_SECRET (it begins with whsec_)")
    return args


def verify_signature(payload, signature, secret):
    expected = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def save_picture(event, folder):
    """Fetch the picture of a successful capture; return the file's path."""
    extension = os.path.basename(event.get("format", "png"))
    path = os.path.join(folder, os.path.basename(event["capture_id"]) + "." + extension)
    with urllib.request.urlopen(event["image"], timeout=60) as response, open(path, "wb") as file:
        while block := response.read(1 << 16):
            file.write(block)
    return path


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > MAX_BODY:
            self.answer(413, "too large")
            return
        payload = self.rfile.read(length)  # the raw bytes: parsing and writing them again would change the signature
        if not verify_signature(payload, self.headers.get("X-Signature", ""), self.server.args.secret):
            print("refused: wrong signature", file=sys.stderr, flush=True)
            self.answer(401, "wrong signature")
            return
        # Answer first: the service waits 15 seconds, and a slow download is no reason to send the event again.
        self.answer(200, "OK")
        self.server.take(json.loads(payload), self.headers.get("webhook-id", ""))

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_):
        pass


class Server(HTTPServer):
    def __init__(self, address, args):
        super().__init__(address, Receiver)
        self.args = args
        self.seen = set()
        self.taken = 0

    def take(self, event, webhook_id):
        """Handle an event once: an event may be sent again when an answer was lost."""
        if webhook_id in self.seen:
            return
        if webhook_id:
            self.seen.add(webhook_id)
        self.taken += 1
        if event["status"] != "success":
            print(event["capture_id"], event["status"], event.get("error", {}).get("code", ""), flush=True)
            return
        try:
            print(event["capture_id"], "success", save_picture(event, self.args.out), flush=True)
        except OSError as error:
            print(event["capture_id"], "success, but the picture was not fetched:", error, flush=True)


def main():
    args = arguments()
    os.makedirs(args.out, exist_ok=True)
    host, _, port = args.listen.rpartition(":")
    with Server((host, int(port)), args) as server:
        print(f"listening on http://{host}:{server.server_port}", flush=True)
        try:
            while not args.count or server.taken < args.count:
                server.handle_request()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
