// Receives callbacks and says which are the server's: WEBHOOK_SECRET=whsec_… node examples/receiver.mjs 8090
// The callback_url is then http://127.0.0.1:8090/; the server must be allowed to reach it (SAVEPAGE_EGRESS_ALLOW=127.0.0.0/8).
import { createServer } from "node:http";
import { verifyWebhook } from "@savepage/client";

const secret = process.env.WEBHOOK_SECRET ?? "";

const server = createServer(async (request, answer) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts); // the raw bytes: parsed and written again they would be others
  const valid = await verifyWebhook([secret], request.headers, body);
  answer.writeHead(valid ? 200 : 401).end();
  const event = valid ? JSON.parse(body.toString()) : { status: "refused", image: null };
  console.log(event.status, event.image);
});
server.listen(Number(process.argv[2] ?? 8090), "127.0.0.1", () => {
  const at = server.address();
  console.log(`listening on ${typeof at === "object" ? at?.port : at}`);
});
