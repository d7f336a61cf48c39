import assert from "node:assert/strict";
import type { AnyEvent } from "../contract/mod.ts";
import { EventStream, type StreamSource, type StreamState } from "./event_stream.ts";

class FakeSource implements StreamSource {
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();
  closed = false;

  constructor(readonly since: string) {}

  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(name, listener);
  }

  close(): void {
    this.closed = true;
  }

  say(name: string, data: unknown, lastEventId = ""): void {
    this.listeners.get(name)?.(new MessageEvent(name, { data: JSON.stringify(data), lastEventId }));
  }
}

function setUp() {
  const sources: FakeSource[] = [];
  const timers: { milliseconds: number; run: () => void }[] = [];
  const handfuls: (readonly AnyEvent[])[] = [];
  const states: StreamState[] = [];
  const stream = new EventStream("7", {
    names: ["vm-deleted", "error"],
    onEvents: (events) => handfuls.push(events),
    onState: (state) => states.push(state),
    open: (since) => {
      const source = new FakeSource(since);
      sources.push(source);
      return source;
    },
    after: (milliseconds, run) => {
      timers.push({ milliseconds, run });
      return () => {};
    },
  });
  stream.start();
  return { stream, sources, timers, handfuls, states };
}

Deno.test("EventStream hands events on together, in order", () => {
  const { sources, timers, handfuls } = setUp();
  sources[0]!.say("vm-deleted", { vmId: "a" });
  sources[0]!.say("vm-deleted", { vmId: "b" });
  assert.equal(handfuls.length, 0);
  assert.equal(timers.length, 1);
  timers[0]!.run();
  assert.deepEqual(handfuls, [[
    { name: "vm-deleted", data: { vmId: "a" } },
    { name: "vm-deleted", data: { vmId: "b" } },
  ]]);
});

Deno.test("EventStream.start() after pause() goes on after the last event", () => {
  const { stream, sources, states } = setUp();
  assert.equal(sources[0]!.since, "7");
  sources[0]!.say("vm-deleted", { vmId: "a" }, "9");
  stream.pause();
  assert(sources[0]!.closed);
  stream.start();
  assert.equal(sources[1]!.since, "9");
  assert.deepEqual(states, ["connecting", "paused", "connecting"]);
});

Deno.test("EventStream leaves reconnecting to the browser, but not when it was refused", () => {
  const { sources, timers, states } = setUp();
  sources[0]!.onerror?.(new Event("error"));
  assert.equal(timers.length, 0);
  sources[0]!.readyState = 2;
  sources[0]!.onerror?.(new Event("error"));
  assert.deepEqual(timers.map(({ milliseconds }) => milliseconds), [1_000]);
  timers[0]!.run();
  sources[1]!.readyState = 2;
  sources[1]!.onerror?.(new Event("error"));
  assert.equal(timers[1]!.milliseconds, 2_000);
  assert.equal(states.at(-1), "broken");
});

Deno.test("EventStream tells the event called error from a broken connection", () => {
  const { sources, timers } = setUp();
  sources[0]!.listeners.get("error")?.(new Event("error") as MessageEvent<string>);
  assert.equal(timers.length, 0);
});
