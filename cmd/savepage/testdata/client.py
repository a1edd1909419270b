"""Uses the Python client against a live server: client.py BASE KEY PAGE WEBHOOK_SECRET LINK_SECRET. Prints JSON."""

import base64
import hashlib
import hmac
import json
import sys
import urllib.error
import urllib.request

import savepage

base, key, page, secret, link_secret = sys.argv[1:]
client = savepage.Client(base, key)
small: savepage.Options = {"url": page, "width": 320, "height": 240}
said = {"options": sorted(savepage.Options.__optional_keys__)}
capture, picture = client.picture(small)
said["picture"] = [capture["status"], capture["width"], picture[:4].hex(), client.image(client.capture(small))[:4].hex()]
accepted = client.submit(small, idempotency_key="once")
said["again"] = client.submit(small, idempotency_key="once")["capture_id"] == accepted["capture_id"]
said["events"] = [event.name for event in client.watch(accepted["capture_id"])]
said["waited"] = client.wait(accepted["capture_id"], timeout=300)["status"]
batch = client.submit_batch(urls=[page, page + "?2"], options={"width": 320})
said["batch"] = [client.wait_batch(batch["batch_id"], timeout=300)["counts"]["success"]]
said["captures"] = sorted(one["capture_id"] for one in client.batch_captures(batch["batch_id"])) == sorted(batch["capture_ids"])
for name, options in {"invalid": {"url": page, "width": 3}, "closed": {"url": "http://10.0.0.1/"}}.items():
    try:
        client.capture(options)
    except savepage.SavePageError as error:
        said[name] = [error.code, error.status, error.field, bool(error.request_id)]
with urllib.request.urlopen(client.link(link_secret, {**small, "hide": [".a", "#b"], "clip": {"x": 0, "y": 0, "width": 9, "height": 9}})) as answer:
    said["link"] = [answer.status, answer.read(4).hex()]
try:
    urllib.request.urlopen(client.link(link_secret, small, expires=1))
except urllib.error.HTTPError as error:
    said["expired"] = error.code
called = client.submit({**small, "callback_url": savepage.INBOX_URL + "orders"})["capture_id"]
event = client.wait_inbox(called, timeout=300)
said["inbox"] = [event["verified"], event["url"], json.loads(event["body"])["capture_id"] == called]
ended = client.submit_batch(urls=[page], batch_callback_url=savepage.INBOX_URL)["batch_id"]
said["inbox_batch"] = client.wait_inbox(ended, timeout=300)["type"]
first = client.inbox(limit=1)
said["inbox_pages"] = client.inbox(limit=1, cursor=first["next_cursor"])["events"][0]["id"] != first["events"][0]["id"]
client.answer_inbox("410")
client.empty_inbox()
emptied = client.inbox()
said["inbox_after"] = [emptied["answer"], emptied["events"]]
client.answer_inbox("200")
try:
    client.wait_inbox("cap_x", timeout=0.1)
except savepage.Timeout:
    said["inbox_timeout"] = True
body = b'{"status":"success"}'
mac = base64.b64encode(hmac.new(base64.b64decode(secret[6:]), b"msg_1.1000." + body, hashlib.sha256).digest()).decode()
headers = {"Webhook-Id": "msg_1", "Webhook-Timestamp": "1000", "Webhook-Signature": "v1," + mac}
said["verified"] = [savepage.verify_webhook([secret], headers, one, now=1000) for one in (body, body + b" ")]
said["stale"] = savepage.verify_webhook([secret], headers, body, now=1301)
said["unusable"] = 0
for wrong in ("", "whsec_", "whsec_%%%"):
    for check in (lambda: savepage.verify_webhook([wrong], headers, body, now=1000), lambda: savepage.verify_signature([wrong], "", body)):
        try:
            check()
        except ValueError:
            said["unusable"] += 1
json.dump(said, sys.stdout)
