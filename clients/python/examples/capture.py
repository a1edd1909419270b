"""Captures a page, tells what is happening meanwhile, and writes page.png: KEY=… python3 capture.py https://example.com"""

import os
import sys

from savepage import Client, SavePageError

client = Client(os.environ.get("BASE", "http://127.0.0.1:8080"), os.environ["KEY"])
url = sys.argv[1] if len(sys.argv) > 1 else "https://example.com"
try:
    capture_id = client.submit({"url": url, "fullpage": True})["capture_id"]
    for event in client.watch(capture_id):
        print(event.name, event.data.get("phase", "") if event.name == "phase" else "")
    capture = client.wait(capture_id)  # raises if the page has failed
    with open("page.png", "wb") as file:
        file.write(client.image(capture))
    report = capture.get("report") or {}
    print(f"page.png: {capture['width']} × {capture['height']}, the page answered {report.get('http_status')}")
except SavePageError as error:
    sys.exit(f"{error} (field {error.field or '–'}, request {error.request_id or '–'})")
