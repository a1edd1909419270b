// Has a capture call back to the inbox of the account, and shows what arrived: KEY=… node examples/inbox.mjs https://example.com
import { Client, inboxUrl } from "@savepage/client";

const client = new Client({ baseUrl: process.env.BASE ?? "http://127.0.0.1:8080", key: process.env.KEY ?? "" });
const { capture_id: id } = await client.submit({ url: process.argv[2] ?? "https://example.com", callback_url: inboxUrl });
const event = await client.waitInbox(id);
console.log(`${event.verified ? "verified" : "not verified"} after ${event.after_ms} ms, answered ${event.answer}`);
for (const check of event.checks ?? []) console.log(`${check.what} ${check.text}`);
console.log(JSON.parse(event.body).status);
