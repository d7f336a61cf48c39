import assert from "node:assert/strict";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { TestClock } from "../testing.ts";
import { awaitEnd } from "./running_disks.ts";

/** A copy of which libvirt says this, by the second; undefined: it is away. */
function copying(clock: TestClock, bytesAt: (second: number) => number | undefined) {
  const begun = clock.monotonic();
  let since = 1;
  const call = () => {
    const doneBytes = bytesAt((clock.monotonic() - begun) / 1000);
    if (doneBytes === undefined) since = 2;
    return doneBytes === undefined
      ? Promise.reject(new LibvirtError({ kind: "lost", message: "gone" }))
      : Promise.resolve({ state: doneBytes >= 1000 ? "done" : "running", doneBytes });
  };
  return awaitEnd(
    {
      host: {
        link: {
          call,
          get status() {
            return { since };
          },
        },
      },
      vm: { id: "vm" },
      job: { signal: new AbortController().signal, log: () => {} },
      clock,
      onBytes: () => {},
      failed: (error?: string) => new ContractError("BackupFailed", { error }),
    } as unknown as Parameters<typeof awaitEnd>[0],
  );
}

Deno.test("awaitEnd() gives a copy up that does not go on after libvirt was restarted", async () => {
  const clock = new TestClock();
  const waiting = copying(clock, (second) => second < 10 ? second : second < 20 ? undefined : 10);
  const refused = assert.rejects(waiting, /libvirt was restarted meanwhile/);
  await clock.advance(400_000);
  await refused;
});

Deno.test("awaitEnd() waits for a copy that goes on, or stands still without a restart", async () => {
  for (
    const bytesAt of [
      (second: number) => second < 10 ? 1 : second < 20 ? undefined : second,
      (second: number) => second < 900 ? 5 : 1000,
    ]
  ) {
    const clock = new TestClock();
    const waiting = copying(clock, bytesAt);
    await clock.advance(1_100_000);
    assert.ok(await waiting >= 1000);
  }
});
