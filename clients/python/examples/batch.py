"""Captures several pages and writes a picture of each into this folder: KEY=… python3 batch.py https://example.com …"""

import os
import sys

from savepage import Client

client = Client(os.environ.get("BASE", "http://127.0.0.1:8080"), os.environ["KEY"])
batch_id = client.submit_batch(urls=sys.argv[1:], options={"format": "webp", "fullpage": True})["batch_id"]
counts = client.wait_batch(batch_id)["counts"]
for capture in client.batch_captures(batch_id):
    if capture["status"] != "success":
        error = capture.get("error") or {}
        print(f"{capture.get('url')}: {error.get('code')}: {error.get('message')}", file=sys.stderr)
        continue
    name = f"{capture['capture_id']}.webp"
    with open(name, "wb") as file:
        file.write(client.image(capture))
    print(f"{name}: {capture.get('url')}")
sys.exit(0 if counts["success"] == counts["total"] else 1)
