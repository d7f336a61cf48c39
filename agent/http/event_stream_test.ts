import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { EventHub } from "../events/hub.ts";
import { eventStream } from "./event_stream.ts";

const request = (query = "", headers: Record<string, string> = {}, signal?: AbortSignal) =>
  new Request(`http://x/api/v1/events${query}`, { headers, ...(signal && { signal }) });
const error = (hub: EventHub, message: string) => hub.publish("error", { message });

/** Reads a stream until its text matches, or until its end. */
function reading(response: Response) {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    until: async (pattern: RegExp | "end"): Promise<string> => {
      for (;;) {
        if (pattern !== "end" && pattern.test(text)) return text;
        const { done, value } = await reader.read();
        if (done && pattern === "end") return text;
        assert.ok(!done, `the stream ended before ${pattern}: ${text.slice(-200)}`);
        text += value;
      }
    },
    cancel: () => reader.cancel(),
  };
}

Deno.test("eventStream() is server-sent events that nothing keeps, with what happens from now on", async () => {
  const hub = new EventHub();
  error(hub, "before");
  const response = eventStream(hub, request());
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.equal(response.headers.get("cache-control"), "no-store");
  const stream = reading(response);
  assert.equal(await stream.until(/connected\n\n/), "retry: 1000\n: connected\n\n");
  error(hub, "after");
  assert.match(
    await stream.until(/after/),
    /^id: [0-9a-f]{8}-2\nevent: error\ndata: \{"message":"after"\}\n\n$/m,
  );
  assert.doesNotMatch(await stream.until(/after/), /before/);
  await stream.cancel();
});

Deno.test("eventStream() resumes from an id, by header before query", async () => {
  const hub = new EventHub();
  const start = hub.lastId;
  error(hub, "one");
  const middle = hub.lastId;
  error(hub, "two");
  for (
    const [query, headers, expected] of [
      [`?since=${start}`, {}, ["one", "two"]],
      [`?since=${middle}`, {}, ["two"]],
      ["", { "last-event-id": middle }, ["two"]],
      [`?since=${start}`, { "last-event-id": middle }, ["two"]],
    ] as const
  ) {
    const stream = reading(eventStream(hub, request(query, headers)));
    const text = await stream.until(/two/);
    assert.deepEqual([...text.matchAll(/"message":"(\w+)"/g)].map((match) => match[1]), expected);
    await stream.cancel();
  }
});

Deno.test("eventStream() says reload for an id it does not know, and goes on", async () => {
  const hub = new EventHub();
  for (const id of ["00000000-0", "garbage", ""]) {
    const stream = reading(eventStream(hub, request("", { "last-event-id": id })));
    assert.doesNotMatch(await stream.until(/event: reload\ndata: .*\n\n/), /^id:/m);
    error(hub, "next");
    await stream.until(/next/);
    await stream.cancel();
  }
});

Deno.test("eventStream() cuts a client that does not read, and holds nothing for it any more (fault 16)", async () => {
  const hub = new EventHub();
  const slow = eventStream(hub, request());
  const quick = reading(eventStream(hub, request()));
  const big = "x".repeat(100_000);
  let sent = 0;
  while (hub.listeners === 2 && sent < 100) {
    error(hub, big);
    sent++;
    await quick.until(new RegExp(`id: \\w+-${sent}\n`));
  }
  assert.ok(sent >= 10 && sent <= 12, `cut after ${sent} events of 100 KB`);
  error(hub, "after the cut");
  await assert.rejects(slow.text(), /fell too far behind/);
  await quick.until(/after the cut/);
  await quick.cancel();
  assert.equal(hub.listeners, 0);
});

Deno.test("eventStream() lets go of a client that leaves, however it leaves", async () => {
  const hub = new EventHub();
  const abort = new AbortController();
  const aborted = eventStream(hub, request("", {}, abort.signal));
  const cancelled = reading(eventStream(hub, request()));
  assert.equal(hub.listeners, 2);
  abort.abort();
  assert.equal(hub.listeners, 1);
  await cancelled.cancel();
  assert.equal(hub.listeners, 0);
  error(hub, "to nobody");
  await aborted.body?.cancel();
});

Deno.test("eventStream() serves a bounded number of clients", async () => {
  const hub = new EventHub();
  const streams: Response[] = [];
  const refused = () => {
    for (let index = 0; index < 1000; index++) streams.push(eventStream(hub, request()));
  };
  assert.throws(
    refused,
    (error) => error instanceof ContractError && error.code === "TooManyRequests" && error.status === 429,
  );
  assert.equal(hub.listeners, 200);
  await Promise.all(streams.map((stream) => stream.body!.cancel()));
  assert.equal(hub.listeners, 0);
});
