"""Has a capture call back to the inbox of the account, and shows what arrived: KEY=… python3 inbox.py https://example.com"""

import json
import os
import sys

from savepage import INBOX_URL, Client

client = Client(os.environ.get("BASE", "http://127.0.0.1:8080"), os.environ["KEY"])
url = sys.argv[1] if len(sys.argv) > 1 else "https://example.com"
event = client.wait_inbox(client.submit({"url": url, "callback_url": INBOX_URL})["capture_id"])
print("verified" if event["verified"] else "not verified", f"after {event['after_ms']} ms, answered {event['answer']}")
for check in event["checks"]:
    print(check["what"], check["text"])
print(json.loads(event["body"])["status"])
