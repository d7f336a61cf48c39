import assert from "node:assert/strict";
import { log } from "../log.ts";
import { addTexts } from "../../lib/i18n/locale.ts";
import { message } from "../../lib/i18n/message.ts";
import { withLocale } from "../i18n/request_locale.ts";
import { eventFrame, EventHub, framesOf, type PublishedData } from "./hub.ts";

const error = (hub: EventHub, message: string) => hub.publish("error", { message });
const missed = (events: ReturnType<EventHub["since"]>) => messages(framesOf(events!));
const messages = (frames: string) => [...frames.matchAll(/"message":"(\w+)"/g)].map((match) => match[1]);

Deno.test("eventFrame() is one server-sent event: id, name and one line of JSON", () => {
  assert.equal(eventFrame("error", { message: "a\nb" }), 'event: error\ndata: {"message":"a\\nb"}\n\n');
  assert.equal(eventFrame("error", { message: "\r\u2028" }, "r-1").match(/[\r\u2028]/)?.[0], "\u2028"); // no line end in SSE
  assert.equal(eventFrame("error", null, "r-1"), "id: r-1\nevent: error\ndata: null\n\n");
});

Deno.test("EventHub numbers kept events one by one, and gives loads no id", () => {
  const hub = new EventHub();
  let seen = "";
  hub.listen((frames) => seen += frames);
  const before = hub.lastId;
  error(hub, "a");
  hub.publish("reload", { reason: "x" });
  error(hub, "b");
  const [run] = before.split("-");
  assert.match(before, /^[0-9a-f]{8}-0$/);
  assert.deepEqual([...seen.matchAll(/^id: (.*)$/gm)].map((match) => match[1]), [`${run}-1`, `${run}-2`]);
  assert.equal(hub.lastId, `${run}-2`);
  assert.match(seen, /^event: reload$/m);
});

Deno.test("EventHub.since() gives exactly what came after an id", () => {
  const hub = new EventHub();
  const start = hub.lastId;
  assert.deepEqual(hub.since(start), []);
  error(hub, "a");
  const middle = hub.lastId;
  hub.publish("reload", { reason: "not kept" });
  error(hub, "b");
  assert.deepEqual(missed(hub.since(start)), ["a", "b"]);
  assert.deepEqual(missed(hub.since(middle)), ["b"]);
  assert.deepEqual(hub.since(hub.lastId), []);
});

Deno.test("EventHub.since() is null for another run's id, one from the future, and garbage", () => {
  const hub = new EventHub();
  error(hub, "a");
  const [run] = hub.lastId.split("-");
  const garbage = [
    "",
    "-",
    "1",
    "null",
    `${run}`,
    `${run}-`,
    `${run}-2`,
    `${run}--1`,
    `${run}-1.5`,
    `${run}-0x0`,
    `${run}-1e0`,
    `${run}- 1`,
    `${run}-0-1`,
    `${run}-9999999999999999999`,
    `${run}-NaN`,
    `x${run}-0`,
    "00000000-0",
    "__proto__-0",
    "-0".repeat(9999),
  ];
  for (const id of garbage) assert.equal(hub.since(id), null, id.slice(0, 40));
  assert.equal(new EventHub().since(`${run}-0`), null);
});

Deno.test("EventHub.since() is null once the ring has dropped what was missed, and whole until then", () => {
  const hub = new EventHub();
  const start = hub.lastId;
  for (let index = 0; index < 4096; index++) error(hub, `m${index}`);
  assert.equal(missed(hub.since(start)).length, 4096);
  const run = start.split("-")[0];
  error(hub, "overflow");
  assert.equal(hub.since(start), null);
  assert.equal(missed(hub.since(`${run}-1`)).length, 4096);
  hub.publishAll(Array.from({ length: 5000 }, (_, index) => ["error", { message: `n${index}` }]));
  assert.equal(missed(hub.since(`${run}-5001`))[0], "n904");
});

Deno.test("EventHub hands several events over as one write, and none for none", () => {
  const hub = new EventHub();
  const writes: string[] = [];
  hub.listen((frames) => writes.push(frames));
  hub.publishAll([]);
  hub.publishAll([["error", { message: "a" }], ["error", { message: "b" }]]);
  assert.deepEqual(writes.map(messages), [["a", "b"]]);
});

Deno.test("EventHub.listen() ends when disposed, also in the middle of a delivery", () => {
  const hub = new EventHub();
  const seen: string[] = [];
  const first = hub.listen((frames) => {
    seen.push(frames);
    first[Symbol.dispose]();
  });
  hub.listen((frames) => seen.push(frames));
  error(hub, "a");
  error(hub, "b");
  assert.deepEqual([seen.length, hub.listeners], [3, 1]);
});

Deno.test("EventHub.since() keeps long events only as far as memory stays bounded", () => {
  const hub = new EventHub();
  const start = hub.lastId;
  for (let n = 0; n < 8; n++) error(hub, "x".repeat(1024 * 1024));
  const run = start.split("-")[0];
  assert.equal(hub.since(start), null); // with their frames around them, eight are more than 8 MiB
  assert.equal(missed(hub.since(`${run}-1`)).length, 7);
  error(hub, "x".repeat(9 * 1024 * 1024)); // alone more than is kept
  assert.equal(hub.since(`${run}-7`), null);
  assert.deepEqual(hub.since(hub.lastId), []);
});

Deno.test("EventHub.follow() publishes every event until disposed, and is no client", () => {
  const hub = new EventHub();
  const seen: string[] = [];
  const following = hub.follow((events) => void seen.push(...events.map(([name]) => name)));
  hub.publish("network-changed", { name: "lan", event: "started" });
  assert.equal(hub.listeners, 0);
  following[Symbol.dispose]();
  hub.publish("error", { message: "unheard" });
  assert.deepEqual(seen, ["network-changed"]);
});

Deno.test("EventHub: one that fails keeps no other from its events, and no event from being kept", () => {
  const hub = new EventHub(), start = hub.lastId, seen: string[] = [];
  const fail = () => {
    throw new Error("the disk is full");
  };
  hub.follow(fail);
  hub.follow((events) => void seen.push(...events.map(([name]) => name)));
  hub.listen(fail);
  hub.listen((frames) => void seen.push(...messages(frames).map(String)));
  const { error: logError } = log, logged: string[] = [];
  log.error = (message) => void logged.push(message);
  try {
    error(hub, "a");
  } finally {
    log.error = logError;
  }
  assert.equal(logged.length, 2);
  assert.deepEqual(seen, ["error", "a"]);
  assert.deepEqual(missed(hub.since(start)), ["a"]);
});

Deno.test("EventHub keeps messages, and each reader has them in their own language", () => {
  const hub = new EventHub(), start = hub.lastId;
  addTexts("de", { "{0} was stopped": "{0} wurde angehalten" });
  const stopped = { entry: { message: message`${"web"} was stopped` } } as unknown as PublishedData<
    "activity"
  >;
  let live = "";
  hub.listen((frames) => live += frames);
  withLocale("de", () => hub.publish("activity", stopped));
  assert.match(live, /web was stopped/); // what streams in other languages do not take as it is
  const told = hub.since(start)!;
  assert.match(framesOf(told), /web was stopped/);
  assert.match(withLocale("de", () => framesOf(told)), /web wurde angehalten/);
});
