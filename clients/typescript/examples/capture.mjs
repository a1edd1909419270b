// Captures a page, tells what is happening meanwhile, and writes page.png: KEY=… node examples/capture.mjs https://example.com
import { writeFile } from "node:fs/promises";
import { Client, SavePageError } from "@savepage/client";

const client = new Client({ baseUrl: process.env.BASE ?? "http://127.0.0.1:8080", key: process.env.KEY ?? "" });
const url = process.argv[2] ?? "https://example.com";

try {
  const { capture_id: id } = await client.submit({ url, fullpage: true });
  for await (const event of client.watch(id)) {
    console.log(event.name, event.name === "phase" ? event.data.phase : "");
  }
  const capture = await client.wait(id); // throws if the page has failed
  await writeFile("page.png", await client.image(capture));
  console.log(`page.png: ${capture.width} × ${capture.height}, the page answered ${capture.report?.http_status}`);
} catch (error) {
  if (!(error instanceof SavePageError)) throw error;
  console.error(`${error.code}: ${error.message} (field ${error.field ?? "–"}, request ${error.requestId ?? "–"})`);
  process.exitCode = 1;
}
