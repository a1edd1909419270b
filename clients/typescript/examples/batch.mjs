// Captures several pages and writes a picture of each into this folder: KEY=… node examples/batch.mjs https://example.com …
import { writeFile } from "node:fs/promises";
import { Client } from "@savepage/client";

const client = new Client({ baseUrl: process.env.BASE ?? "http://127.0.0.1:8080", key: process.env.KEY ?? "" });

const { batch_id: id } = await client.submitBatch({ urls: process.argv.slice(2), options: { format: "webp", fullpage: true } });
const { counts } = await client.waitBatch(id);
for await (const capture of client.batchCaptures(id)) {
  if (capture.status !== "success") {
    console.error(`${capture.url}: ${capture.error?.code}: ${capture.error?.message}`);
    continue;
  }
  await writeFile(`${capture.capture_id}.webp`, await client.image(capture));
  console.log(`${capture.capture_id}.webp: ${capture.url}`);
}
process.exitCode = counts.success === counts.total ? 0 : 1;
