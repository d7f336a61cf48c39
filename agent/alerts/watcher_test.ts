import assert from "node:assert/strict";
import type { AlertRule, Backup, Hang, VM } from "../../lib/contract/mod.ts";
import type { Observation } from "../../lib/alerts/watch.ts";
import { TestClock } from "../testing.ts";
import { type AlertEngine, AlertRound } from "./engine.ts";
import { AlertWatcher } from "./watcher.ts";

const rule = (change: Partial<AlertRule>): AlertRule => ({
  id: "r",
  name: "R",
  severity: "warning",
  watches: "vm_metric",
  comparison: "above",
  threshold: 50,
  checks: 1,
  scope: "everything",
  enabled: true,
  createdAt: 0,
  ...change,
});

const vm = (change: Partial<VM>) =>
  ({ id: "v", name: "web", state: "running", guestAgent: "connected", ...change }) as VM;

/** A watcher, and what it says of one alert: part → observation; of what is open and was not seen, too. */
function watching(of: AlertRule, open: { label: string; vmId?: string }[] = []) {
  const clock = new TestClock();
  let seen: Record<string, Observation> = {};
  const engine: Pick<AlertEngine, "begin"> = {
    begin: (isOurs) =>
      new AlertRound(
        isOurs(of) ? [of] : [],
        (_rule, { label }, observation) => void (seen[label] = observation),
        (unseen) => {
          for (const each of open) {
            if (each.label in seen || unseen === undefined) continue;
            const said = unseen({ host: "local", ...each }, of);
            if (said !== undefined) seen[each.label] = said;
          }
        },
      ),
  };
  const watcher = new AlertWatcher(engine as AlertEngine, clock);
  const result = (run: () => void) => {
    seen = {};
    run();
    return seen;
  };
  return { watcher, clock, result };
}

const host = (...vms: VM[]) => ({ id: "local", isConnected: true, vms, hangs: [] as Hang[] });
const source = (name: string, label = "") => ({ name, label, from: name, kind: "gauge", factor: 1 }) as const;

Deno.test("AlertWatcher.figures() sees each part, makes shares, and takes a figure that is not known for a gap", () => {
  const sources = [
    source("pool_used", "a"),
    source("pool_capacity", "a"),
    source("pool_used", "b"),
    source("pool_capacity", "b"),
  ];
  const { watcher, result } = watching(rule({ watches: "host_metric", series: "pool_usage" }), [{
    label: "gone",
  }]);
  const figures = (...values: number[]) => [{ subject: "", sources, figures: Float32Array.from(values) }];
  assert.deepEqual(result(() => watcher.figures(host(), figures(60, 100, 10, 100))), {
    a: "bad",
    b: "good",
    gone: "gone",
  });
  assert.deepEqual(result(() => watcher.figures(host(), figures(NaN, 100, 10, 0))), {
    a: "unknown",
    b: "unknown",
    gone: "gone",
  });
  const one = watching(rule({ watches: "host_metric", series: "pool_used", label: "b" }));
  assert.deepEqual(one.result(() => one.watcher.figures(host(), figures(1, 2, 60, 2))), { b: "bad" });
});

Deno.test("AlertWatcher.figures(): a VM that runs and was not read is unknown; one that is off or deleted is gone", () => {
  const { watcher, result } = watching(rule({ series: "cpu_usage" }), [{ label: "", vmId: "v" }]);
  assert.deepEqual(result(() => watcher.figures(host(vm({})), [])), { "": "unknown" });
  assert.deepEqual(result(() => watcher.figures(host(vm({ state: "stopped" })), [])), { "": "gone" });
  assert.deepEqual(result(() => watcher.figures(host(), [])), { "": "gone" });
  const taken = [{ subject: "v", sources: [source("cpu_usage")], figures: Float32Array.from([51]) }];
  assert.deepEqual(result(() => watcher.figures(host(vm({})), taken)), { "": "bad" });
});

Deno.test("AlertWatcher: a guest agent is silent only after it has answered since the start", () => {
  const { watcher, result } = watching(rule({ watches: "guest_agent_silent" }));
  const seen = (change: Partial<VM>) => result(() => watcher.figures(host(vm(change)), []))[""];
  assert.equal(seen({ guestAgent: "disconnected" }), "unknown", "not installed, as far as one knows");
  assert.equal(seen({}), "good");
  assert.equal(seen({ guestAgent: "disconnected" }), "bad");
  assert.equal(seen({ guestAgent: "disconnected", state: "stopped" }), "gone");
  watcher.told("local", vm({}), "started");
  assert.equal(seen({ guestAgent: "disconnected" }), "unknown", "it boots");
});

Deno.test("AlertWatcher: a crash and a disk error that libvirt told of are seen at once, and go on for ten minutes", async () => {
  const rows = [["vm_crashed", "crashed", { state: "crashed" }], ["vm_disk_error", "io-error", {
    stateReason: "I/O error",
  }]] as const;
  for (const [watches, event, state] of rows) {
    const { watcher, clock, result } = watching(rule({ watches }));
    assert.deepEqual(result(() => watcher.told("local", vm({}), event)), { "": "bad" });
    await clock.advance(9 * 60_000);
    assert.deepEqual(result(() => watcher.figures(host(vm({})), [])), { "": "bad" });
    await clock.advance(2 * 60_000);
    assert.deepEqual(result(() => watcher.figures(host(vm({})), [])), { "": "good" });
    assert.deepEqual(result(() => watcher.figures(host(vm(state)), [])), { "": "bad" });
  }
});

Deno.test("AlertWatcher.program() sees hosts that do not answer, and a certificate near its end", () => {
  const lost = watching(rule({ watches: "host_connection_lost" }));
  const hosts = [{ ...host(), isConnected: false }];
  assert.deepEqual(lost.result(() => lost.watcher.program(hosts, undefined)), { "": "bad" });
  const ends = watching(rule({ watches: "certificate_ends", comparison: "below", threshold: 14 }), [{
    label: "",
  }]);
  const inDays = (days: number) => ends.clock.now() + days * 24 * 3600_000;
  assert.deepEqual(ends.result(() => ends.watcher.program([host()], inDays(13))), { "": "bad" });
  assert.deepEqual(ends.result(() => ends.watcher.program([host()], inDays(15))), { "": "good" });
  const after = (end: number | null | undefined) => ends.result(() => ends.watcher.program([host()], end));
  assert.deepEqual(after(null), { "": "gone" }, "no TLS any more");
  assert.deepEqual(after(undefined), { "": "unknown" }, "the doors are not open yet: what fires goes on");
});

const HANG: Hang = {
  about: "pool",
  name: "nfs",
  since: 0,
  call: "virStoragePoolRefresh",
  remedy: "Check the server.",
};

Deno.test("AlertWatcher.hangs() tells what does not respond at once, where one check is enough", async () => {
  const silentVm: Hang = { ...HANG, about: "vm", name: "web", vmId: "v" };
  const { watcher, result, clock } = watching(rule({ watches: "not_responding" }), [
    { label: "", vmId: "v" },
    { label: "Storage pool nfs" },
    { label: "Storage pool before" },
  ]);
  const look = (hangs: Hang[], isRound = false) =>
    result(() => watcher.hangs({ ...host(vm({})), hangs }, isRound));
  assert.deepEqual(look([HANG, silentVm]), {
    "Storage pool nfs": "bad",
    "": "bad",
    "Storage pool before": "unknown",
  }, "what fired before a restart may not be known yet");
  assert.deepEqual(look([HANG]), { "Storage pool nfs": "bad", "": "good", "Storage pool before": "unknown" });
  await clock.advance(3_600_000);
  assert.deepEqual(look([]), { "Storage pool nfs": "good", "": "good", "Storage pool before": "good" });
  const patient = watching(rule({ watches: "not_responding", checks: 2 }));
  const hung = { ...host(), hangs: [HANG] };
  assert.deepEqual(patient.result(() => patient.watcher.hangs(hung, false)), {});
  assert.deepEqual(patient.result(() => patient.watcher.hangs(hung, true)), { "Storage pool nfs": "bad" });
});

Deno.test("AlertWatcher.schedules(): what protects VMs is well again where that is known, and not before", () => {
  const label = "backup nightly";
  const { watcher, result } = watching(rule({ watches: "coverage_lost" }), [{ label }]);
  const look = (faults: Parameters<typeof watcher.schedules>[2]) =>
    result(() => watcher.schedules(host(), [], faults));
  assert.deepEqual(look([{ cover: { kind: "backup", name: "nightly" }, text: "It leaves out web1" }]), {
    [label]: "bad",
  });
  assert.deepEqual(look([]), { [label]: "good" });
  // The round has no such rule then: the engine leaves what is open as it is
  const engine: Pick<AlertEngine, "begin"> = {
    begin: (isOurs) => {
      assert.equal(isOurs(rule({ watches: "coverage_lost" })), false);
      return new AlertRound([], () => {}, () => {});
    },
  };
  new AlertWatcher(engine as AlertEngine, new TestClock()).schedules(host(), [], undefined);
});

Deno.test("AlertWatcher.backups() watches the VMs of all hosts, and each backup job once", () => {
  const hosts: string[] = [];
  const of = rule({ watches: "backup_old", scope: "vm", vmId: "v", threshold: 1 });
  const watcherOf = (each: AlertRule) =>
    new AlertWatcher(
      {
        begin: (isOurs: (rule: AlertRule) => boolean) =>
          new AlertRound(
            isOurs(each) ? [each] : [],
            (_rule, watched, observation) =>
              void hosts.push(`${watched.host} ${watched.label} ${observation}`),
            () => {},
          ),
      } as unknown as AlertEngine,
      new TestClock(),
    );
  const lab = { id: "lab", isConnected: true, vms: [vm({ id: "w" })], hangs: [] as Hang[] };
  watcherOf(of).backups(host(vm({})), [lab], [], [], () => undefined);
  assert.deepEqual(hosts, ["local  bad", "lab  bad"]);
  hosts.length = 0;
  const backup = { name: "nightly", lastRun: null, enabled: true } as unknown as Backup;
  watcherOf(rule({ watches: "backup_failed" })).backups(host(vm({})), [lab], [backup], [], () => undefined);
  assert.equal(hosts.length, 1, hosts.join());
});
