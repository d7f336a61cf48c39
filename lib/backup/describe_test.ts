import assert from "node:assert/strict";
import type { BackupCopy, BackupRun, BootTest } from "../contract/backups.ts";
import { bootedOf, bootScreenHref, bootTestText, tellingCopy, totalSizes, verifiedOf } from "./describe.ts";

const boot = (ok: boolean, at = 1): BootTest => ({
  at,
  ok,
  by: ok ? "agent" : null,
  message: ok ? null : "Its screen stayed blank",
  seconds: 41,
  screen: true,
});
const copy = (change: Partial<BackupCopy> = {}): BackupCopy => ({
  vmId: "v",
  name: "web",
  state: "done",
  message: null,
  takenAt: 1,
  consistency: "frozen",
  bytes: 1,
  storedBytes: 1,
  readBytes: null,
  disks: ["vda"],
  verified: null,
  bootTest: null,
  ...change,
});
const run = (id: string, ...copies: BackupCopy[]): BackupRun => ({
  id,
  startedAt: 1,
  endedAt: 2,
  state: "done",
  actor: "ann",
  jobId: null,
  message: null,
  found: false,
  copies,
});

Deno.test("what checks of copies said is the worst of them; a copy that booted was verified", () => {
  const failed = copy({ state: "failed", bootTest: null });
  assert.equal(bootedOf([failed]), "none");
  assert.equal(bootedOf([copy(), copy({ bootTest: boot(true) })]), "never");
  assert.equal(bootedOf([copy({ bootTest: boot(true) }), failed]), "ok");
  assert.equal(bootedOf([copy(), copy({ bootTest: boot(false) })]), "bad");
  assert.equal(verifiedOf([copy({ bootTest: boot(true) })]), "ok");
  assert.equal(verifiedOf([copy({ bootTest: boot(false) })]), "never");
  const bad = { at: 1, ok: false, message: "damaged" };
  assert.equal(verifiedOf([copy({ bootTest: boot(true), verified: bad })]), "bad");
});

Deno.test("tellingCopy() is the copy that was booted last, else the newest that is whole", () => {
  const newest = run("3", copy({ state: "failed" }), copy());
  assert.equal(tellingCopy([run("4")]), undefined);
  assert.equal(tellingCopy([newest, run("2", copy())])!.run.id, "3");
  const older = run("1", copy({ bootTest: boot(true, 9) }));
  assert.equal(tellingCopy([newest, run("2", copy({ bootTest: boot(true, 5) })), older])!.run.id, "1");
});

Deno.test("a boot test in words, and the address of its picture", () => {
  assert.equal(bootTestText(boot(true)), "Its guest agent answered after 41 s");
  assert.equal(bootTestText({ ...boot(true), by: "screen" }), "Its screen came to rest after 41 s");
  assert.equal(bootTestText(boot(false)), "Its screen stayed blank");
  assert.equal(
    bootScreenHref("a/b", "r", "v", boot(true, 7)),
    "/api/v1/backups/a%2Fb/runs/r/vms/v/screen.png?at=7",
  );
});

Deno.test("totalSizes() counts what is there, and says that what was read is not known", () => {
  const known = copy({ bytes: 20, storedBytes: 2, readBytes: 3 });
  assert.deepEqual(totalSizes([known, known]), { bytes: 40, storedBytes: 4, readBytes: 6 });
  assert.deepEqual(totalSizes([known, copy({ state: "failed", bytes: 9 })]), {
    bytes: 20,
    storedBytes: 2,
    readBytes: 3,
  });
  assert.equal(totalSizes([known, copy({ readBytes: null })]).readBytes, null);
});
