# Runs the verifier on the vectors: check.py FOLDER VECTORS. Prints one JSON list of [webhook, x_signature].
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from verify import verify_webhook, verify_x_signature

results = []
for one in json.load(open(sys.argv[2], encoding="utf-8"))["vectors"]:
    body = one["body"].encode()
    signature = one["headers"].get("X-Signature", "")
    results.append([verify_webhook(one["secrets"], one["headers"], body, one["now"]), verify_x_signature(one["secrets"], signature, body)])
print(json.dumps(results))
