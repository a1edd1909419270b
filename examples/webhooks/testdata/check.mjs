// Runs the verifier on the vectors: check.mjs FOLDER VECTORS. Prints one JSON list of [webhook, x_signature].
import { readFileSync } from "node:fs";

const { verifyWebhook, verifyXSignature } = await import(`file://${process.argv[2]}/verify.mjs`);
const results = JSON.parse(readFileSync(process.argv[3], "utf8")).vectors.map((one) => {
  const body = Buffer.from(one.body);
  const headers = Object.fromEntries(Object.entries(one.headers).map(([name, value]) => [name.toLowerCase(), value]));
  return [verifyWebhook(one.secrets, headers, body, one.now), verifyXSignature(one.secrets, headers["x-signature"] ?? "", body)];
});
console.log(JSON.stringify(results));
