// replicate 1.4.0 (JavaScript) against `ryla dev`: what its users do, with nothing changed but the base URL.
// tests/clients/run starts the systems and sets their addresses; nothing else is assumed.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import Replicate from "replicate";

const MODEL = "ryla/flux-dev";

const client = (system, options = {}) =>
  new Replicate({
    auth: process.env[`${system}_TOKEN`],
    baseUrl: `${process.env[`${system}_URL`]}/v1`,
    ...options,
  });

const tls = client("TLS");
const plain = client("PLAIN");
const picture = (prompt) => ({ prompt, width: 256, height: 320, seed: 7 });
const create = (of, prompt) => of.predictions.create({ model: MODEL, input: picture(prompt) });

// Reads the size out of the frame header, so that a picture of another size or half a file does not pass.
function assertIsJpeg(bytes, width = 256, height = 320) {
  assert.equal(bytes.readUInt16BE(0), 0xffd8, "begins like a JPEG");
  assert.equal(bytes.readUInt16BE(bytes.length - 2), 0xffd9, "ends like a JPEG");
  for (let at = 2; at < bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes.readUInt16BE(at);
    if (marker >= 0xffc0 && marker <= 0xffc2) {
      assert.deepEqual([bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)], [width, height]);
      return;
    }
  }
  assert.fail("no frame header");
}

const bytesOf = async (output) => Buffer.from(await (await output.blob()).arrayBuffer());

async function ended(of, id) {
  for (;;) {
    const prediction = await of.predictions.get(id);
    if (["succeeded", "failed", "canceled"].includes(prediction.status)) return prediction;
    await sleep(100);
  }
}

async function problemOf(promise) {
  const error = await promise.then(() => assert.fail("it was not refused"), (reason) => reason);
  const text = error.message.slice(error.message.indexOf("{"), error.message.lastIndexOf("}") + 1);
  return { status: error.response.status, problem: JSON.parse(text) };
}

// Forwards to the system behind https and loses the reply to the first creation.
async function lossy(use) {
  const posts = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const { authorization, "content-type": type, "idempotency-key": key } = request.headers;
    const reply = await fetch(process.env.TLS_URL + request.url, {
      method: request.method,
      headers: { authorization, ...(type && { "content-type": type }), ...(key && { "idempotency-key": key }) },
      body: chunks.length > 0 ? Buffer.concat(chunks) : undefined,
    });
    const body = Buffer.from(await reply.arrayBuffer());
    if (request.method === "POST" && posts.push(key) === 1) return request.socket.destroy();
    response.writeHead(reply.status, { "content-type": reply.headers.get("content-type") }).end(body);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    return { result: await use(`http://127.0.0.1:${server.address().port}/v1`), posts };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function idsOf(prompt) {
  const ids = [];
  for await (const page of tls.paginate(tls.predictions.list)) {
    ids.push(...page.filter(({ input }) => input.prompt === prompt).map(({ id }) => id));
  }
  return ids;
}

test("run hands over a file", async () => {
  const output = await tls.run(MODEL, { input: picture("a lighthouse at dusk") });
  assert.ok(output.url().href.startsWith(process.env.TLS_URL));
  assertIsJpeg(await bytesOf(output));
});

test("run takes a version", async () => {
  const { latest_version: version } = await tls.models.get("ryla", "flux-dev");
  assertIsJpeg(await bytesOf(await tls.run(`${MODEL}:${version.id}`, { input: picture("a lighthouse") })));
});

test("iterating over the file yields its bytes", async () => {
  const chunks = [];
  for await (const chunk of await tls.run(MODEL, { input: picture("a row of trees") })) chunks.push(chunk);
  assertIsJpeg(Buffer.concat(chunks));
});

for (const wait of [{ mode: "block", timeout: 1 }, { mode: "poll", interval: 100 }]) {
  test(`run gets its picture also where it does not wait long enough (${wait.mode})`, async () => {
    const output = await tls.run(MODEL, { input: picture("a slow windmill"), wait });
    assert.notEqual(output, null);
    assertIsJpeg(await bytesOf(output));
  });
}

test("a prediction is created at once and polled to its end", async () => {
  const created = await create(tls, "a fox in the snow");
  assert.deepEqual([created.status, created.output], ["starting", null]);
  const prediction = await tls.wait(created, { interval: 100 });
  assert.equal(prediction.status, "succeeded");
  assert.ok(prediction.metrics.predict_time >= 1);
  assert.match(prediction.output, /^https:/);
});

test("cancel ends a prediction", async () => {
  // Whose runs are still there when they are cancelled.
  const slow = client("SLOW");
  const { id } = await create(slow, "a picture that nobody wants");
  assert.equal((await slow.predictions.cancel(id)).id, id);
  const prediction = await ended(slow, id);
  assert.deepEqual([prediction.status, prediction.output], ["canceled", null]);
});

test("paginate leads over all pages", async () => {
  const made = [];
  for (let n = 0; n < 5; n += 1) made.unshift((await create(plain, `a bird, number ${n}`)).id);
  const first = () => plain.request("/predictions?page_size=2", {}).then((reply) => reply.json());
  const pages = [];
  for await (const page of plain.paginate(first)) pages.push(page.map(({ id }) => id));
  assert.ok(pages.length >= 3);
  assert.ok(pages.slice(0, -1).every((page) => page.length === 2));
  assert.deepEqual(pages.flat().slice(0, 5), made);
  assert.equal(new Set(pages.flat()).size, pages.flat().length);
});

test("error bodies reach the user", async () => {
  const refused = await problemOf(tls.run(MODEL, { input: { ...picture("a canary"), width: 17, colour: "red" } }));
  assert.equal(refused.status, 422);
  const fields = refused.problem.invalid_fields.map(({ field }) => field).sort();
  assert.deepEqual(fields, ["input.colour", "input.width"]);
  assert.ok(!JSON.stringify(refused.problem).includes("canary"));
  assert.equal((await problemOf(tls.predictions.get("a".repeat(26)))).status, 404);
  assert.equal((await problemOf(client("TLS", { auth: "not-a-key" }).accounts.current())).status, 401);
});

test("a creation whose reply is lost is repeated without a mark and gives two jobs", async () => {
  const prompt = "a lost reply, without a key";
  const { posts } = await lossy((baseUrl) => create(client("TLS", { baseUrl }), prompt));
  assert.deepEqual(posts, [undefined, undefined]);
  assert.equal((await idsOf(prompt)).length, 2);
});

test("a creation whose reply is lost gives one job where fetch adds a key", async () => {
  // The client hands the same headers to each try of one request, so the key lasts over the tries.
  const keyed = (url, init) => {
    if (init?.method === "POST") init.headers["Idempotency-Key"] ??= randomUUID();
    return fetch(url, init);
  };
  const prompt = "a lost reply, with a key";
  const { result, posts } = await lossy((baseUrl) => create(client("TLS", { baseUrl, fetch: keyed }), prompt));
  assert.equal(posts.length, 2);
  assert.equal(posts[0], posts[1]);
  assert.deepEqual(await idsOf(prompt), [result.id]);
});

test("a stream is refused by the client itself", async () => {
  const stream = async () => {
    for await (const event of tls.stream(MODEL, { input: picture("a stream") })) assert.fail(event);
  };
  await assert.rejects(stream, /does not support streaming/);
});

test("a failed prediction rejects with the sentence for the user", async () => {
  const run = client("FAILING").run(MODEL, { input: picture("a glitch"), wait: { mode: "poll", interval: 100 } });
  await assert.rejects(run, /Prediction failed: The GPU worker failed/);
});

test("plain http works too, though files stay URLs", async () => {
  const output = await plain.run(MODEL, { input: picture("a planet") });
  assert.equal(typeof output, "string");
  assertIsJpeg(Buffer.from(await (await fetch(output)).arrayBuffer()));
});
