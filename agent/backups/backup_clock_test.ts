import { render } from "../../lib/i18n/message.ts";
import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { TestClock } from "../testing.ts";
import { BackupClock } from "./backup_clock.ts";
import type { StoredBackup } from "./records.ts";

const HOUR = 3600_000, DAY = 24 * HOUR;

function stored(id: string, handled: number): StoredBackup {
  return {
    id,
    name: id,
    enabled: true,
    folder: "/backups",
    repository: "r",
    missed: "run-once",
    targets: { all: true, vmIds: [], tags: [], groups: [] },
    timing: { frequency: "daily", time: "03:00", timeZone: "UTC" },
    keep: 7,
    keepDaily: 0,
    keepWeekly: 0,
    keepMonthly: 0,
    keepYearly: 0,
    bootTest: "never",
    maxMibPerSecond: 0,
    parallel: 1,
    owner: { kind: "host", name: "root" },
    createdAt: handled,
    handled,
  };
}

/** Backups that run every day at three, and what became of them. */
function world(
  ids: readonly string[],
  begin: (id: string) => Promise<void> = () => Promise.resolve(),
  { missed = "run-once", isRunning = false }: { missed?: StoredBackup["missed"]; isRunning?: boolean } = {},
) {
  const clock = new TestClock();
  const all = new Map(ids.map((id) => [id, { ...stored(id, clock.now()), missed }]));
  const begun: string[] = [], refused: string[] = [], skipped: string[] = [];
  const backups = new BackupClock({
    clock,
    records: {
      all: () => [...all.values()],
      get: (id) => all.get(id),
      put: (backup) => void all.set(backup.id, backup),
    },
    runs: {
      watch: () => {},
      settle: () => {},
      isRunning: () => isRunning,
      refused: ({ id }, _actor, message) => void refused.push(`${id}: ${render(message)}`),
      skipped: (_backup, _actor, slot, message) =>
        void skipped.push(`${new Date(slot).toISOString()} ${message}`),
    },
    isReady: () => true,
    run: async ({ id }) => {
      await begin(id);
      begun.push(id);
    },
  });
  const { signal } = new AbortController();
  /** Lets time go by, with a look every ten minutes. */
  const pass = async (ms: number) => {
    for (let gone = 0; gone < ms; gone += 600_000) {
      await clock.advance(600_000);
      backups.tick(signal);
      for (let turn = 0; turn < 5; turn++) await null; // what has begun goes on as far as it gets
    }
  };
  return { clock, begun, refused, skipped, pass, tick: () => backups.tick(signal) };
}

Deno.test("BackupClock runs a backup once a day", async () => {
  const { begun, pass } = world(["a"]);
  await pass(3 * DAY);
  assert.deepEqual(begun, ["a", "a", "a"]);
});

Deno.test("BackupClock runs on after a clock that was years ahead was set right", async () => {
  const { clock, begun, pass, tick } = world(["a"]);
  await clock.advance(10_000, 10 * 365 * DAY);
  tick();
  await clock.advance(10_000, -10 * 365 * DAY);
  tick();
  begun.length = 0;
  await pass(3 * DAY);
  assert.deepEqual(begun, ["a", "a", "a"]);
});

Deno.test("BackupClock begins others where a target does not answer, and reports that one", async () => {
  const { begun, refused, pass } = world(
    ["dead", "well"],
    (id) => id === "dead" ? new Promise(() => {/* it never answers */}) : Promise.resolve(),
  );
  await pass(2 * DAY);
  assert.deepEqual(begun, ["well", "well"]);
  assert.deepEqual(refused, [
    "dead: Its folder or target does not answer",
    "dead: The run before could not begin yet: its target does not answer",
  ]);
});

Deno.test("BackupClock writes down why a run did not begin", async () => {
  const { begun, refused, pass } = world(["a"], () => Promise.reject(new ContractError("BackupFolderBusy")));
  await pass(DAY);
  assert.deepEqual(begun, []);
  assert.deepEqual(refused, [`a: ${new ContractError("BackupFolderBusy").message}`]);
});

Deno.test("BackupClock writes down what it leaves out: times that were missed, and runs over one that is under way", async () => {
  const off = world(["a"], undefined, { missed: "skip" });
  await off.clock.advance(2 * DAY); // no check runs meanwhile
  off.tick();
  assert.equal(off.begun.length, 0);
  assert.match(off.skipped.join(), /^2026-01-01T03:00:00.000Z KVM Manager was not running/);
  const slow = world(["a"], undefined, { isRunning: true });
  await slow.pass(DAY);
  assert.deepEqual([slow.begun, slow.skipped], [[], [
    "2026-01-01T03:00:00.000Z The run before was still under way",
  ]]);
});

Deno.test("BackupClock loses no time to a clock that was ahead, and repeats none for one that was set back", async () => {
  for (const missed of ["skip", "run-once"] as const) {
    for (const ahead of [5 * HOUR, 2 * DAY, 365 * DAY]) {
      const { clock, begun, pass, tick } = world(["a"], undefined, { missed });
      await clock.advance(10_000, ahead);
      tick();
      await clock.advance(10_000, -ahead);
      tick();
      begun.length = 0;
      await pass(2 * DAY);
      assert.deepEqual(begun, ["a", "a"], `${ahead / HOUR} hours, ${missed}`);
    }
  }
  const back = world(["a"]);
  await back.pass(4 * HOUR);
  assert.deepEqual(back.begun, ["a"]);
  await back.clock.advance(10_000, -2 * HOUR);
  back.tick();
  await back.pass(3 * HOUR);
  assert.deepEqual(back.begun, ["a"], "three o'clock comes twice");
});
