import assert from "node:assert/strict";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { TestClock } from "../testing.ts";
import { BootTests, type BootTestsOf, type BootTestsOptions } from "./boot_tests.ts";
import type { BackupRecords } from "./records.ts";
import type { FoundCopy } from "./repository.ts";

const copy = (id: string, bytes: number) =>
  ({ id, manifest: { vm: { id, name: id }, disks: [{ bytes }] } }) as unknown as FoundCopy;

const UP = { ok: true, by: "agent", message: null, seconds: 1, png: undefined } as const;
const NEVER = { ok: false, by: null, message: "damaged", seconds: 0, png: undefined } as const;

Deno.test("a boot test's progress counts all copies, and is unknown, never less, while a guest boots", async () => {
  const told: [number, number | null][] = [];
  const jobs = {
    run: (_spec: unknown, work: (job: unknown) => Promise<void>) =>
      work({
        signal: new AbortController().signal,
        progress: (done: number, total: number | null) => told.push([done, total]),
        log: () => {},
      }),
  } as unknown as BootTestsOptions["jobs"];
  const tests = new BootTests(
    {
      clock: new TestClock(),
      jobs,
      records: { keepBootTest: () => {} } as unknown as BackupRecords,
      host: () => ({ requireFilled: () => ({}) }) as unknown as LibvirtHost,
    },
    ({ copy: { id }, onBytes, onBoot }) => {
      onBytes(5);
      // One that is damaged ends before it is there
      if (id === "damaged") return Promise.resolve({ ...NEVER, restoredBytes: 0 });
      onBytes(10);
      onBoot();
      return Promise.resolve({ ...UP, restoredBytes: 10 });
    },
  );
  const { ok, restoredBytes } = await tests.run({
    backup: { id: "b", name: "nightly" },
    actor: "root",
    repository: {} as BootTestsOf["repository"],
    copies: [copy("first", 10), copy("damaged", 10), { id: "unreadable" } as FoundCopy, copy("last", 10)],
  });
  assert.deepEqual([ok, restoredBytes], [false, 20]);
  assert.deepEqual(told, [[5, 30], [10, 30], [10, null], [15, 30], [25, 30], [30, 30], [30, null]]);
});
