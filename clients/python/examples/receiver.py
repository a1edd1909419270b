"""Receives callbacks and says which are the server's: WEBHOOK_SECRET=whsec_… python3 receiver.py 8090

The callback_url is then http://127.0.0.1:8090/; the server must be allowed to reach it (SAVEPAGE_EGRESS_ALLOW=127.0.0.0/8).
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from savepage import verify_webhook

SECRET = os.environ["WEBHOOK_SECRET"]


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))  # the raw bytes: written again they would be others
        valid = verify_webhook([SECRET], dict(self.headers.items()), body)
        self.send_response(200 if valid else 401)
        self.end_headers()
        event = json.loads(body) if valid else {"status": "refused", "image": None}
        print(event["status"], event["image"], flush=True)

    def log_message(self, *args: object) -> None:
        pass


server = HTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8090), Receiver)
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()
