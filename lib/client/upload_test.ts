import assert from "node:assert/strict";
import type { Job } from "../contract/mod.ts";
import { ApiError } from "./api.ts";
import {
  type Sending,
  type SendProgress,
  sendVolume,
  type Uploaded,
  type UploadTransport,
} from "./upload.ts";

const WHAT: Sending = { pool: "p", name: "a.iso", file: new Blob(["x".repeat(100)]), checksum: "" };
const ANSWER: Uploaded = {
  pool: "p",
  name: "a.iso",
  path: "/p/a.iso",
  size: 100,
  sha256: "0".repeat(64),
  warnings: [],
};
const broke = (offset: number) => ({ offset, size: 100, isRunning: false });
const lost = () => new ApiError("Unreachable", "gone");

/** UploadTransport that do what a script says; they note from where was sent. */
function scripted(sends: (() => Uploaded)[], rest: Partial<UploadTransport> = {}) {
  const offsets: number[] = [], waits: number[] = [];
  const wires: UploadTransport = {
    send: (_what, offset) => {
      offsets.push(offset);
      return new Promise((resolve) => resolve(sends.shift()!()));
    },
    state: () => Promise.reject(new ApiError("UploadNotFound", "none")),
    job: () => Promise.resolve(undefined),
    wait: (ms, signal) => {
      waits.push(ms);
      return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    },
    now: () => 0,
    ...rest,
  };
  return { wires, offsets, waits };
}
const fails = (error: unknown) => () => {
  throw error;
};
const go = (wires: UploadTransport, seen: SendProgress[] = [], signal = new AbortController().signal) =>
  sendVolume(wires, WHAT, (progress) => seen.push(progress), signal);

Deno.test("sendVolume() goes on where a broken connection left it, however often", async () => {
  const arrived = [40, 70];
  const { wires, offsets, waits } = scripted([fails(lost()), fails(lost()), () => ANSWER], {
    state: () => Promise.resolve(broke(arrived.shift()!)),
  });
  const seen: SendProgress[] = [];
  assert.deepEqual(await go(wires, seen), ANSWER);
  assert.deepEqual(offsets, [0, 40, 70]);
  assert.deepEqual(waits, [500, 500], "what arrived is a reason to try at once again");
  assert.ok(seen.some(({ isWaiting }) => isWaiting));
});

Deno.test("sendVolume() waits while the server does not answer or has not noticed the break", async () => {
  const running = () => ({ ...broke(0), isRunning: true });
  const answers = [fails(lost()), running, fails(lost()), () => broke(10)];
  const { wires, offsets } = scripted(
    [fails(lost()), fails(new ApiError("UploadRunning", "runs")), () => ANSWER],
    { state: () => new Promise((resolve) => resolve((answers.shift() ?? (() => broke(10)))())) },
  );
  assert.deepEqual(await go(wires), ANSWER);
  assert.deepEqual(offsets, [0, 10, 10]);
});

Deno.test("sendVolume() begins again when the server has nothing any more", async () => {
  const { wires, offsets } = scripted([fails(lost()), () => ANSWER]);
  await go(wires);
  assert.deepEqual(offsets, [0, 0]);
});

Deno.test("sendVolume() tells what it was refused with, also when the answer got lost", async () => {
  const taken = new ApiError("VolumeExists", "taken");
  await assert.rejects(go(scripted([fails(taken)]).wires), taken);
  const job = { id: "1", error: { code: "DiskRefused", message: "names another file" } } as Job;
  let asked = 0;
  const { wires } = scripted([fails(lost())], {
    job: () => Promise.resolve(asked++ === 0 ? undefined : job),
  });
  await assert.rejects(go(wires), { code: "DiskRefused", message: "names another file" });
  // An older job's failure is not this one's.
  const old = scripted([fails(lost()), () => ANSWER], { job: () => Promise.resolve(job) });
  assert.deepEqual(await go(old.wires), ANSWER);
});

Deno.test("sendVolume() gives up when nothing arrives, and ends when it is cancelled", async () => {
  const { wires, waits } = scripted([fails(lost())], { state: () => Promise.reject(lost()) });
  await assert.rejects(go(wires), { code: "Unreachable" });
  assert.equal(waits.length, 12);
  assert.equal(Math.max(...waits), 15_000);
  const abort = new AbortController();
  const stopped = new Error("stop");
  const cancelled = scripted([() => {
    abort.abort(stopped);
    throw lost();
  }]);
  await assert.rejects(go(cancelled.wires, [], abort.signal), stopped);
});

Deno.test("sendVolume() tells the time left by its speed", async () => {
  let now = 0;
  const seen: SendProgress[] = [];
  const { wires } = scripted([], {
    now: () => now,
    send: (_what, _offset, onSent) => {
      now = 100;
      onSent(1);
      now = 10_000;
      onSent(25);
      return Promise.resolve(ANSWER);
    },
  });
  await go(wires, seen);
  assert.deepEqual(seen.map(({ sent, secondsLeft }) => [sent, secondsLeft]), [[1, null], [25, 30]]);
});
