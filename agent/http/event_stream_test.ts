import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { EventHub } from "../events/hub.ts";
import { EventStreams, MOST_OF_ONE, MOST_STREAMS } from "./event_stream.ts";

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

Deno.test("EventStreams.open() is server-sent events that nothing keeps, with what happens from now on", async () => {
  const hub = new EventHub();
  error(hub, "before");
  const response = new EventStreams(hub).open(request());
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

Deno.test("EventStreams.open() resumes from an id, by header before query", async () => {
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
    const stream = reading(new EventStreams(hub).open(request(query, headers)));
    const text = await stream.until(/two/);
    assert.deepEqual([...text.matchAll(/"message":"(\w+)"/g)].map((match) => match[1]), expected);
    await stream.cancel();
  }
});

Deno.test("EventStreams.open() says reload where more was missed than a client is sent, and goes on", async () => {
  const hub = new EventHub(), start = hub.lastId;
  for (let each = 0; each < 12; each++) error(hub, "x".repeat(100_000));
  const stream = reading(new EventStreams(hub).open(request(`?since=${start}`)));
  assert.doesNotMatch(await stream.until(/event: reload\ndata: .*\n\n/), /xxx/);
  error(hub, "after");
  await stream.until(/after/);
  await stream.cancel();
});

Deno.test("EventStreams.open() says reload for an id it does not know, and goes on", async () => {
  const hub = new EventHub();
  for (const id of ["00000000-0", "garbage", ""]) {
    const stream = reading(new EventStreams(hub).open(request("", { "last-event-id": id })));
    assert.doesNotMatch(await stream.until(/event: reload\ndata: .*\n\n/), /^id:/m);
    error(hub, "next");
    await stream.until(/next/);
    await stream.cancel();
  }
});

Deno.test("EventStreams.open() cuts a client that does not read, and holds nothing for it any more (fault 16)", async () => {
  const hub = new EventHub();
  const slow = new EventStreams(hub).open(request());
  const quick = reading(new EventStreams(hub).open(request()));
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

Deno.test("EventStreams.open() leaves figures out for a client that is behind, and nothing else", async () => {
  const hub = new EventHub(), slow = new EventStreams(hub).open(request());
  const figures = { cpuUsagePercent: 1, memoryUsedMb: 1, memoryAvailableMb: 1, timestamp: 1 };
  const bytes = { diskReadBytes: 1, diskWriteBytes: 1, networkRxBytes: 1, networkTxBytes: 1 };
  const vmIds = Array.from({ length: 1000 }, (_, vm) => `vm-${vm}`);
  for (let round = 0; round < 50; round++) {
    hub.publishAll(
      vmIds.map((vmId) => ["vm-stats-updated", { vmId, stats: { vmId, ...figures, ...bytes } }]),
    );
    error(hub, `told ${round}.`);
  }
  assert.equal(hub.listeners, 1, "it was not cut");
  const stream = reading(slow), text = await stream.until(/told 49\./);
  for (let round = 0; round < 50; round++) assert.ok(text.includes(`told ${round}.`), `event ${round}`);
  const count = [...text.matchAll(/event: vm-stats-updated/g)].length;
  assert.ok(count >= 1000 && count < 3000, `${count} figures`);
  // It has caught up
  hub.publish("vm-stats-updated", { vmId: "late", stats: { vmId: "late", ...figures, ...bytes } });
  await stream.until(/"vmId":"late"/);
  await stream.cancel();
});

Deno.test("EventStreams.open() lets go of a client that leaves, however it leaves", async () => {
  const hub = new EventHub();
  const abort = new AbortController();
  const aborted = new EventStreams(hub).open(request("", {}, abort.signal));
  const cancelled = reading(new EventStreams(hub).open(request()));
  assert.equal(hub.listeners, 2);
  abort.abort();
  assert.equal(hub.listeners, 1);
  await cancelled.cancel();
  assert.equal(hub.listeners, 0);
  error(hub, "to nobody");
  await aborted.body?.cancel();
});

const isTooMany = (error: unknown) =>
  error instanceof ContractError && error.code === "TooManyRequests" && error.status === 429;

Deno.test("EventStreams.open() serves a bounded number of clients, and of one account fewer", async () => {
  const hub = new EventHub();
  const streams = new EventStreams(hub);
  const open: Response[] = [];
  for (let index = 0; index < MOST_STREAMS; index++) {
    open.push(streams.open(request(), { who: `${index}` }));
  }
  assert.throws(() => streams.open(request(), { who: "one more" }), isTooMany, "all have one");
  assert.equal(hub.listeners, MOST_STREAMS);
  await Promise.all(open.map((stream) => stream.body!.cancel()));
  assert.equal(hub.listeners, 0);
  const own = Array.from({ length: MOST_OF_ONE }, () => streams.open(request(), { who: "a" }));
  assert.throws(() => streams.open(request(), { who: "a" }), isTooMany);
  await own[0]!.body!.cancel();
  own.push(streams.open(request(), { who: "a" }));
  await Promise.all(own.slice(1).map((stream) => stream.body!.cancel()));
});

Deno.test("EventStreams.open(): greedy accounts do not keep others out, they lose their oldest streams", async () => {
  const hub = new EventHub();
  const streams = new EventStreams(hub);
  const greedy: Response[] = [];
  for (let index = 0; index < MOST_STREAMS; index++) {
    greedy.push(streams.open(request(), { who: `${index % 4}` }));
  }
  const own = reading(streams.open(request(), { who: "honest" }));
  assert.equal(hub.listeners, MOST_STREAMS);
  assert.match(await greedy[0]!.text(), /connected/); // and its end
  // Who lost one comes back: everybody else has no more than them.
  assert.throws(() => streams.open(request(), { who: "0" }), isTooMany);
  error(hub, "to everybody");
  await own.until(/to everybody/);
  const more = Array.from({ length: 39 }, () => streams.open(request(), { who: "honest" }));
  assert.throws(() => streams.open(request(), { who: "honest" }), isTooMany, "five have 40 each");
  await own.cancel();
  for (const each of [...greedy, ...more]) if (!each.bodyUsed) await each.body!.cancel();
  assert.equal(hub.listeners, 0);
});
