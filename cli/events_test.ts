import assert from "node:assert/strict";
import { listenSocket } from "../agent/http/server.ts";
import { ApiError } from "../lib/client/api.ts";
import { serverOf } from "./connect/server.ts";
import { EventReader, followOn } from "./events.ts";
import { ProgressDisplay, progressLine } from "./verb/progress.ts";

const frame = (id: number, vmId: string) => `id: ${id}\nevent: vm-deleted\ndata: {"vmId":"${vmId}"}\n\n`;

Deno.test("EventReader puts events together from any pieces, and keeps the last id", () => {
  const text = `retry: 1000\n: connected\n\n${frame(1, "a").replaceAll("\n", "\r\n")}: still here\n\n${
    frame(2, "ü")
  }`;
  for (const length of [1, 3, 1000]) {
    const reader = new EventReader();
    const found = text.match(new RegExp(`[^]{1,${length}}`, "g"))!.flatMap((piece) => reader.read(piece));
    assert.deepEqual(found, [
      { name: "vm-deleted", data: { vmId: "a" } },
      { name: "vm-deleted", data: { vmId: "ü" } },
    ]);
    assert.equal(reader.lastId, "2");
  }
});

Deno.test("EventReader refuses an event without end", () => {
  const reader = new EventReader();
  assert.throws(() => {
    for (let count = 0; count < 20; count++) reader.read(`data: ${"x".repeat(1024 * 1024)}\n`);
  }, ApiError);
});

Deno.test("EventReader forgets what a break cut off, and keeps the last id", () => {
  const reader = new EventReader();
  reader.read(`${frame(7, "a")}event: vm-deleted\ndata: {"vm`);
  reader.reopen();
  assert.deepEqual(reader.read(frame(8, "b")), [{ name: "vm-deleted", data: { vmId: "b" } }]);
  assert.equal(reader.lastId, "8");
});

Deno.test("followOn() comes back after a break and says which event it saw last", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const seen: (string | null)[] = [];
  const listener = await listenSocket(`${folder}/api.sock`, (request) => {
    seen.push(request.headers.get("last-event-id"));
    return Promise.resolve(new Response(frame(seen.length, `vm${seen.length}`)));
  });
  const stop = new AbortController();
  const broke: string[] = [], happened: string[] = [];
  try {
    const server = serverOf({ kind: "socket", path: `${folder}/api.sock` });
    for await (const event of followOn(server, stop.signal, (reason) => broke.push(reason))) {
      happened.push(event === "opened" ? "opened" : (event.data as { vmId: string }).vmId);
      if (happened.length === 4) stop.abort();
    }
  } finally {
    await listener.close();
    await Deno.remove(folder, { recursive: true });
  }
  assert.deepEqual([happened, seen.slice(0, 2)], [["opened", "vm1", "opened", "vm2"], [null, "1"]]);
  assert.match(broke[0]!, /hung up|broke/);
});

Deno.test("followOn() does not go on asking a server that says no", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const refusal = { code: "TokenInvalid", message: "no" };
  const answer = () => Promise.resolve(Response.json(refusal, { status: 401 }));
  const listener = await listenSocket(`${folder}/api.sock`, answer);
  try {
    const server = serverOf({ kind: "socket", path: `${folder}/api.sock` });
    const events = followOn(server, new AbortController().signal, () => assert.fail("it is no break"));
    await assert.rejects(events.next(), { code: "TokenInvalid" });
  } finally {
    await listener.close();
    await Deno.remove(folder, { recursive: true });
  }
});

const progress = (share: number) =>
  ({
    title: "clone \x1b[2J",
    progress: share,
    doneBytes: share * 1024,
    totalBytes: 1024,
    secondsLeft: null,
  }) as const;

Deno.test("progressLine() tells share, bytes and time, and steers no terminal", () => {
  assert.equal(progressLine(progress(0.5)), "clone \u2426[2J  [##########----------] 50 %  512 B of 1 KiB");
  assert.equal(
    progressLine({ title: "x", progress: null, doneBytes: null, totalBytes: null, secondsLeft: 90 }),
    "x  1m 30s left",
  );
});

Deno.test("ProgressDisplay prints a line for each tenth where there is no terminal, and the end", () => {
  const shown: string[] = [];
  const display = new ProgressDisplay({ showsProgress: false, show: (text) => void shown.push(text) });
  for (let percent = 0; percent <= 100; percent += 1) display.update(progress(percent / 100));
  display.end();
  assert.equal(shown.length, 11);
  assert.match(shown.at(-1)!, /100 %.*\n$/);
});
