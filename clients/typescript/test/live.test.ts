// Uses the client against a live server. BASE, KEY, PAGE, WEBHOOK_SECRET, LINK_SECRET and VECTORS say which.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { createServer, request as ask, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type CaptureEvent, Client, ConnectionError, imageLink, inboxUrl, type Options, SavePageError, verifySignature, verifyWebhook,
} from "@savepage/client";

const env = (name: string): string => process.env[name] ?? assert.fail(`${name} is not set`);
const client = new Client({ baseUrl: env("BASE") + "/", key: env("KEY") });
const small: Options = { url: env("PAGE"), width: 320, height: 240 };
const vector = "lnk_0123456789Ab_0123456789abcdefghijABCDEFGHIJ01"; // of TestLinkVector in link_test.go

function isPng(bytes: Uint8Array): void {
  assert.equal(Buffer.from(bytes.slice(0, 4)).toString("hex"), "89504e47");
}

/** The error that a call must end with. */
async function fault<E extends Error>(kind: abstract new (...all: never[]) => E, call: Promise<unknown>): Promise<E> {
  const error: unknown = await call.then(() => assert.fail("no error"), (found: unknown) => found);
  if (!(error instanceof kind)) throw error;
  return error;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("captures", { concurrency: true }, () => {
  it("come with their picture, or without", async () => {
    const { capture, picture } = await client.picture(small);
    assert.equal(capture.status, "success");
    assert.equal(capture.width, 320);
    assert.equal("image_base64" in capture, false);
    isPng(picture);
    isPng(await client.image(await client.capture(small)));
  });

  it("are waited for beyond the first request", async () => {
    const sent: string[] = [];
    const patient = new Client({
      baseUrl: env("BASE"), key: env("KEY"),
      fetch: (url, init) => {
        sent.push(`${init?.method} ${new URL(String(url)).pathname.replace(/cap_\w+/, "ID")}`);
        return fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), Prefer: "wait=1" } });
      },
    });
    assert.equal((await patient.capture({ ...small, delay: 1100 })).status, "success");
    assert.deepEqual(sent.slice(0, 2), ["POST /v1/capture", "GET /v1/captures/ID"]);
  });

  it("are submitted once, watched and looked up", async () => {
    const settings = { idempotencyKey: "once" };
    const { capture_id: id } = await client.submit(small, settings);
    assert.equal((await client.submit(small, settings)).capture_id, id);
    const events: CaptureEvent[] = [];
    for await (const event of client.watch(id)) events.push(event);
    const last = events.at(-1);
    assert.ok(last?.name === "done" && last.data.status === "success" && last.data.capture_id === id);
    assert.equal((await client.wait(id)).status, "success");
    await client.cancel(id);
    assert.equal((await fault(SavePageError, client.get(id))).code, "not_found");
  });

  it("end a wait when the signal does, and go on", async () => {
    const { capture_id: id } = await client.submit({ ...small, delay: 30_000, timeout: 60_000 });
    await assert.rejects(client.wait(id, { signal: AbortSignal.timeout(100) }), { name: "TimeoutError" });
    const stop = new AbortController();
    const watching = client.watch(id, { signal: stop.signal });
    assert.equal((await watching.next()).done, false);
    stop.abort(new Error("enough"));
    await assert.rejects((async () => { for await (const _ of watching); })(), { message: "enough" });
    await client.cancel(id);
    const error = await fault(SavePageError, client.wait(id));
    assert.deepEqual([error.code, error.captureId], ["conflict", id]);
  });

  it("are watched again after a connection breaks", async () => {
    const resumed: (string | undefined)[] = [];
    let halted: ServerResponse | undefined; // has sent one event; it breaks when that has been read, which a break could overtake
    const breaking = createServer((request, answer) => {
      resumed.push(request.headers["last-event-id"] as string | undefined);
      let begun = "";
      const onward = ask(env("BASE") + request.url, { headers: request.headers }, (got) => {
        answer.writeHead(got.statusCode ?? 0, got.headers);
        if (resumed.length > 1) {
          got.pipe(answer);
          return;
        }
        got.on("data", (part: Buffer) => {
          begun += part;
          const event = /^[^]*?id: ?\d+[^]*?\n\n/.exec(begun);
          if (event === null || halted !== undefined) return;
          halted = answer;
          answer.write(event[0]);
        });
      });
      answer.on("close", () => onward.destroy());
      onward.on("error", () => answer.destroy());
      onward.end();
    });
    const { capture_id: id } = await client.submit({ ...small, delay: 500 });
    const ids: number[] = [];
    for await (const event of new Client({ baseUrl: await listen(breaking), key: env("KEY") }).watch(id)) {
      ids.push(event.id);
      halted?.destroy();
    }
    breaking.close();
    assert.deepEqual(resumed, [undefined, `${ids[0]}`]);
    assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b));
  });

  it("come in batches", async () => {
    const batch = await client.submitBatch({ urls: [env("PAGE"), env("PAGE") + "?2"], options: { width: 320 } });
    assert.equal((await client.waitBatch(batch.batch_id)).counts.success, 2);
    const found: string[] = [];
    for await (const one of client.batchCaptures(batch.batch_id)) found.push(one.capture_id);
    assert.deepEqual(found.sort(), [...(batch.capture_ids ?? [])].sort());
  });
});

describe("the inbox", () => {
  it("has what arrives, page by page, and answers as it is told", async () => {
    const { capture_id: id } = await client.submit({ ...small, callback_url: inboxUrl + "orders" });
    const event = await client.waitInbox(id);
    assert.deepEqual([event.verified, event.answer, event.url], [true, "200", inboxUrl + "orders"]);
    assert.equal(JSON.parse(event.body).capture_id, id);
    const batch = await client.submitBatch({ urls: [env("PAGE")], batch_callback_url: inboxUrl });
    assert.equal((await client.waitInbox(batch.batch_id)).type, "batch");
    const first = await client.inbox({ limit: 1 });
    const second = await client.inbox({ limit: 1, cursor: first.next_cursor ?? "" });
    assert.notEqual(first.events?.[0]?.id, second.events?.[0]?.id);
    await client.answerInbox("410");
    assert.equal((await client.inbox()).answer, "410");
    await client.answerInbox("200");
    await client.emptyInbox();
    assert.equal((await client.inbox()).events?.some((one) => one.id === event.id), false);
    await assert.rejects(client.waitInbox("cap_x", { signal: AbortSignal.timeout(100) }), { name: "TimeoutError" });
  });
});

describe("errors", { concurrency: true }, () => {
  it("have code, field and request id", async () => {
    const error = await fault(SavePageError, client.capture({ ...small, width: 3 }));
    assert.deepEqual([error.code, error.status, error.field], ["invalid_request", 400, "width"]);
    assert.match(error.requestId ?? "", /\S/);
    assert.equal(error.errors.length, 1);
    const closed = await fault(SavePageError, client.capture({ url: "http://10.0.0.1/" }));
    assert.deepEqual([closed.code, closed.status], ["address_blocked", 400]);
    const stranger = await fault(SavePageError, new Client({ baseUrl: env("BASE"), key: "sp_none" }).capture(small));
    assert.deepEqual([stranger.code, stranger.status, stranger.field], ["unauthorized", 401, undefined]);
  });

  it("of a page are those of the capture", async () => {
    const nobody = createServer();
    const url = await listen(nobody);
    await new Promise((done) => nobody.close(done));
    const { capture_id: id } = await client.submit({ url });
    const error = await fault(SavePageError, client.wait(id));
    assert.deepEqual([error.code, error.status, error.captureId], ["connection_failed", 0, id]);
    const direct = await fault(SavePageError, client.capture({ url }));
    assert.deepEqual([direct.code, direct.status], ["connection_failed", 502]);
    await fault(ConnectionError, new Client({ baseUrl: url, key: env("KEY") }).capture(small));
  });

  it("tell a server that does not answer, and one that is another", async () => {
    const silent = createServer((request, answer) => {
      if (request.url?.startsWith("/v1/captures")) answer.writeHead(302, { Location: `${env("BASE")}/healthz` }).end();
      if (request.url === "/v1/batches/bat_x") answer.end("<p>Welcome");
    });
    const other = new Client({ baseUrl: await listen(silent), key: env("KEY"), timeout: 5000 });
    assert.equal((await fault(SavePageError, other.get("cap_x"))).status, 302);
    const page = await fault(SavePageError, other.batch("bat_x"));
    assert.deepEqual([page.code, page.status, page.message], ["unknown", 200, "the server answered what is no JSON: <p>Welcome"]);
    const hasty = new Client({ baseUrl: other.baseUrl, key: env("KEY"), timeout: 50 });
    assert.match((await fault(ConnectionError, hasty.capture(small))).message, /no answer within 50 ms/);
    silent.closeAllConnections?.();
    silent.close();
    assert.throws(() => new Client({ baseUrl: "shots.example.com", key: "" }), TypeError);
  });
});

describe("signatures", { concurrency: true }, () => {
  it("open a link without a key", async () => {
    const link = await client.link(env("LINK_SECRET"), { ...small, hide: [".a", "#b"], clip: { x: 0, y: 0, width: 9, height: 9 } });
    const answer = await fetch(link);
    assert.equal(answer.status, 200);
    isPng(new Uint8Array(await answer.arrayBuffer()));
    assert.equal((await fetch(await client.link(env("LINK_SECRET"), small, new Date(1000)))).status, 403);
  });

  it("of a link are those of every client, also where crypto is no global", async (t) => {
    const options: Options = { url: "https://example.com/a b?x=1&y=ü", width: 800, hide: [".a", "#b"] };
    const want = "https://shots.example.com/v1/image?hide=.a&hide=%23b&url=https%3A%2F%2Fexample.com%2Fa+b%3Fx%3D1%26y%3D%C3%BC&width=800"
      + "&exp=1900000000&sig=lnk_0123456789Ab.ba769e8093d39a98eb4ef7926243fed67da5c6a3461306b912d526a9694eec38";
    const sign = () => imageLink("https://shots.example.com/", vector, options, new Date(1_900_000_000_000));
    assert.equal(await sign(), want);
    const global = Object.getOwnPropertyDescriptor(globalThis, "crypto");
    if (global) {
      Object.defineProperty(globalThis, "crypto", { configurable: true, value: undefined });
      t.after(() => void Object.defineProperty(globalThis, "crypto", global));
    }
    assert.equal(await sign(), want);
    await fault(TypeError, imageLink("https://shots.example.com", "lnk_short", options));
  });

  it("of callbacks are judged as the vectors say", async () => {
    const { vectors } = JSON.parse(await readFile(env("VECTORS"), "utf8")) as { vectors: Vector[] };
    assert.ok(vectors.length >= 30);
    for (const v of vectors) {
      assert.equal(await verifyWebhook(v.secrets, v.headers, v.body, v.now), v.webhook, v.name);
      assert.equal(await verifyWebhook(v.secrets, new Headers(v.headers), Buffer.from(v.body), v.now), v.webhook, v.name);
      assert.equal(await verifySignature(v.secrets, v.headers["X-Signature"] ?? "", v.body), v.x_signature, v.name);
    }
    for (const secret of ["", "whsec_", "whsec_?", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]) {
      await fault(TypeError, verifyWebhook([secret], {}, ""));
      await fault(TypeError, verifySignature([secret], "", ""));
    }
  });
});

interface Vector {
  name: string;
  secrets: string[];
  headers: Record<string, string>;
  body: string;
  now: number;
  webhook: boolean;
  x_signature: boolean;
}

describe("examples", { concurrency: true }, () => {
  const start = (name: string, args: string[], cwd: string) =>
    spawn(process.execPath, [fileURLToPath(new URL(`../../examples/${name}.mjs`, import.meta.url)), ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });

  /** Runs an example and returns its exit code and what it said. */
  async function run(name: string, args: string[]): Promise<{ code: number | null; said: string; folder: string }> {
    const folder = await mkdtemp(join(tmpdir(), "savepage-example-"));
    const child = start(name, args, folder);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => { said += part.toString(); });
    const code = await new Promise<number | null>((done) => child.on("close", done));
    return { code, said, folder };
  }

  it("capture a page, and say what is wrong", async () => {
    const good = await run("capture", [env("PAGE")]);
    assert.equal(good.code, 0, good.said);
    assert.match(good.said, /\ndone \npage\.png: 1440 × \d+, the page answered 200\n$/);
    isPng(await readFile(join(good.folder, "page.png")));
    const bad = await run("capture", ["ftp://example.com"]);
    assert.equal(bad.code, 1);
    assert.match(bad.said, /^invalid_request: .*field url, request \S+\)\n$/);
  });

  it("capture a list", async () => {
    const { code, said, folder } = await run("batch", [env("PAGE"), env("PAGE") + "?2"]);
    assert.equal(code, 0, said);
    assert.deepEqual((await readdir(folder)).map((name) => /^cap_\w+\.webp$/.test(name)), [true, true]);
  });

  it("try a callback in the inbox", async () => {
    const { code, said } = await run("inbox", [env("PAGE")]);
    assert.equal(code, 0, said);
    assert.match(said, /^verified after \d+ ms, answered 200\n[\s\S]*webhook-signature matches\.\n[\s\S]*success\n$/);
  });

  it("receive a callback", async (t) => {
    const child = start("receiver", ["0"], tmpdir());
    t.after(() => void child.kill());
    const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const port = String((await said.next()).value).replace("listening on ", "");
    const { capture_id: id } = await client.submit({ ...small, callback_url: `http://127.0.0.1:${port}/` });
    const image = (await client.wait(id)).image;
    assert.equal((await said.next()).value, `success ${image}`);
    assert.equal((await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "{}" })).status, 401);
  });
});
