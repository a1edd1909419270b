#!/usr/bin/env python3
"""Ask SavePage for a full-page picture and leave; the picture comes to callback_url (see receiver.py).

    submit.py URL [--callback-url URL] [--base-url URL] [--key KEY] [--width 1440] [--height 900]

Prints the capture's id. Standard library only.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request


def arguments():
    env = os.environ.get
    parser = argparse.ArgumentParser(description="Submit a capture.")
    parser.add_argument("url", help="page to capture")
    parser.add_argument("--base-url", default=env("SAVEPAGE_BASE_URL", "http://127.0.0.1:8080"), help="SAVEPAGE_BASE_URL")
    parser.add_argument("--key", default=env("SAVEPAGE_KEY"), help="API key; SAVEPAGE_KEY")
    parser.add_argument(
        "--callback-url",
        default=env("SAVEPAGE_CALLBACK_URL", "http://127.0.0.1:8090/webhooks/screenshot"),
        help="where receiver.py listens; SAVEPAGE_CALLBACK_URL",
    )
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    args = parser.parse_args()
    if not args.key:
        parser.error("no API key: pass --key or set SAVEPAGE_KEY (savepage key create makes one)")
    return args


def submit(args):
    body = {
        "url": args.url,
        "width": args.width,
        "height": args.height,
        "fullpage": True,
        "callback_url": args.callback_url,
    }
    request = urllib.request.Request(
        args.base_url.rstrip("/") + "/v1/capture",
        data=json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + args.key, "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def main():
    args = arguments()
    try:
        answer = submit(args)
    except urllib.error.HTTPError as error:
        print(f"refused with {error.code}: {error.read().decode(errors='replace')}", file=sys.stderr)
        return 1
    except urllib.error.URLError as error:
        print(f"cannot reach {args.base_url}: {error.reason}", file=sys.stderr)
        return 1
    print(answer["capture_id"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
