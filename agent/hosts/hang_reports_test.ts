import assert from "node:assert/strict";
import type { Hang } from "../../lib/contract/host.ts";
import { TestClock } from "../testing.ts";
import { HangReports, PAIR_MS } from "./hang_reports.ts";

function reports() {
  const clock = new TestClock(), said: string[] = [];
  const reports = new HangReports(clock, {
    began: ({ name }) => void said.push(`+${name}`),
    ended: ({ name }, ms) => void said.push(`-${name} ${ms}`),
    changed: () => void said.push("!"),
  });
  const hang = (name: string, since = clock.now()): Hang => ({
    about: "pool",
    name,
    since,
    call: "virStoragePoolRefresh",
    remedy: "Check the server.",
  });
  const take = () => said.splice(0);
  return { clock, reports, hang, take };
}

Deno.test("HangReports reports the beginning and the end of each hang, once", async () => {
  const { clock, reports: of, hang, take } = reports();
  const nfs = hang("nfs");
  of.update([nfs]);
  of.update([{ ...nfs, call: "virStoragePoolGetInfo" }]);
  assert.deepEqual(take(), ["+nfs", "!"]);
  assert.deepEqual(of.open.map(({ call }) => call), ["virStoragePoolGetInfo"]);
  await clock.advance(5000);
  of.update([]);
  assert.deepEqual(take(), ["-nfs 5000", "!"]);
  assert.deepEqual(of.open, []);
});

Deno.test("HangReports one that comes and goes is reported once a minute; one that stays, when the minute is over", async () => {
  const { clock, reports: of, hang, take } = reports();
  for (let round = 0; round < 5; round++) {
    of.update([hang("nfs")]);
    await clock.advance(1000);
    of.update([]);
    await clock.advance(1000);
  }
  assert.deepEqual(take(), ["+nfs", "!", "-nfs 1000", "!"]);
  of.update([hang("nfs"), hang("other")]);
  assert.deepEqual(take(), ["+other", "!"], "others are not kept back");
  await clock.advance(PAIR_MS);
  assert.deepEqual(take(), ["+nfs", "!"]);
  of.update([]);
  assert.equal(take().filter((text) => text.startsWith("-")).length, 2);
});

Deno.test("HangReports parts of libvirt are one", () => {
  const { reports: of, hang, take } = reports();
  const part = (name: string): Hang => ({ ...hang(name), about: "host" });
  of.update([part("load")]);
  of.update([part("libvirt"), part("load"), part("events")]);
  assert.deepEqual([take(), of.open.map(({ name }) => name)], [["+load", "!"], ["libvirt"]]);
  of.update([]);
  assert.deepEqual(take(), ["-libvirt 0", "!"]);
});

Deno.test("HangReports.stop() leaves no timer", async () => {
  const { clock, reports: of, hang, take } = reports();
  of.update([hang("nfs")]);
  of.update([]);
  of.update([hang("nfs")]);
  take();
  of.stop();
  await clock.advance(2 * PAIR_MS);
  assert.deepEqual(take(), []);
});
