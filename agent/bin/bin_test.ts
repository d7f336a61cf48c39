/** The bin on libvirt's test driver: definitions alone, for it has no files. */
import assert from "node:assert/strict";
import type { CallName } from "../../ffi/calls/mod.ts";
import { libvirtTest, SHARED, testMachine, until } from "../../ffi/testing.ts";
import type { Api } from "../../lib/contract/api.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { settingsHere } from "../../tests/testbed/app_here.ts";
import { localPrincipal } from "../testing.ts";
import { Application } from "../app.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import { setLogLevel } from "../log.ts";

setLogLevel("error");

const DAY_MS = 24 * 3600_000;

/** A clock that can be put forward: time goes by for everything that asks it. */
class ForwardClock implements Clock {
  ahead = 0;
  now = () => SYSTEM_CLOCK.now() + this.ahead;
  monotonic = () => SYSTEM_CLOCK.monotonic() + this.ahead;
  boot = () => SYSTEM_CLOCK.boot();
  after = (ms: number, run: () => void) => SYSTEM_CLOCK.after(ms, run);
}

async function appWith(dataDir: string, clock: Clock = SYSTEM_CLOCK) {
  const app = new Application({ ...settingsHere(dataDir), uri: SHARED, demo: true, binDays: 7 }, clock);
  app.start();
  await until("the host is read", () => app.hosts.local.inventory.filled);
  return {
    app,
    api: app.apiFor(localPrincipal("page")) as Api,
    [Symbol.asyncDispose]: () => app.stop(),
  };
}

async function withFolder(run: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await run(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

const code = (asked: Promise<unknown>): Promise<string> =>
  asked.then(() => "ok", (error) => {
    assert.ok(error instanceof ContractError, String(error));
    return error.code;
  });

/** Defines a VM, and gives its stored configuration in any order. */
async function machine(app: Application, name: string, uuid: string): Promise<() => Promise<string[]>> {
  const { link, inventory } = app.hosts.local;
  await link.call("domainDefine", { xml: testMachine(name, uuid) });
  await until("the VM is known", () => inventory.vm(uuid) !== undefined);
  return async () =>
    (await link.call("domainXml", { uuid, secure: true, inactive: true })).split("\n").sort();
}

libvirtTest(
  "a VM goes into the bin, and comes back with its UUID and its definition",
  () =>
    withFolder(async (dataDir) => {
      await using here = await appWith(dataDir);
      const { app, api } = here, uuid = crypto.randomUUID(), name = `kvmm-test-${uuid.slice(0, 8)}`;
      const xml = await machine(app, name, uuid), before = await xml();
      const { bin, deletedDisks } = await api.deleteVm({ vmId: uuid });
      assert.deepEqual([deletedDisks, bin?.paths], [[], []]);
      assert.equal(await code(api.getVm({ vmId: uuid })), "VmNotFound");
      const [entry] = await api.listBin();
      assert.deepEqual([entry!.id, entry!.kind, entry!.name, entry!.uuid], [bin!.entryId, "vm", name, uuid]);
      assert.equal(entry!.until - entry!.deletedAt, 7 * DAY_MS);
      assert.deepEqual(await api.restoreBinEntry({ entryId: entry!.id }), {
        kind: "vm",
        name,
        vmId: uuid,
        warnings: [],
      });
      assert.deepEqual(await xml(), before);
      assert.deepEqual(await api.listBin(), []);
      assert.equal((await api.deleteVm({ vmId: uuid, permanently: true })).bin, null);
      assert.deepEqual(await api.listBin(), []);
    }),
);

libvirtTest(
  "a name and a UUID that were taken meanwhile are told, and another name is given",
  () =>
    withFolder(async (dataDir) => {
      await using here = await appWith(dataDir);
      const { app, api } = here, uuid = crypto.randomUUID(), name = `kvmm-test-${uuid.slice(0, 8)}`;
      await machine(app, name, uuid);
      const { bin } = await api.deleteVm({ vmId: uuid });
      const entryId = bin!.entryId;
      const other = crypto.randomUUID();
      await machine(app, name, other);
      await assert.rejects(api.restoreBinEntry({ entryId }), (error) => {
        assert.ok(error instanceof ContractError);
        assert.equal(error.code, "BinNameTaken");
        assert.match(error.message, new RegExp(`A VM is there already: ${name}.*${name}-restored`));
        return true;
      });
      assert.equal(await code(api.restoreBinEntry({ entryId, name: "not a name" })), "InvalidName");
      const again = await api.restoreBinEntry({ entryId, name: `${name}-b` });
      assert.deepEqual([again.name, again.vmId, again.warnings], [`${name}-b`, uuid, []]);
      await api.deleteVm({ vmId: other, permanently: true });
      // Now the UUID
      const second = await api.deleteVm({ vmId: uuid });
      await machine(app, `${name}-c`, uuid);
      assert.equal(await code(api.restoreBinEntry({ entryId: second.bin!.entryId })), "VmIdTaken");
      const third = await api.restoreBinEntry({ entryId: second.bin!.entryId, name: `${name}-d` });
      assert.notEqual(third.vmId, uuid);
      assert.match(third.warnings.join(), /new UUID/);
      for (const vmId of [uuid, third.vmId!]) await api.deleteVm({ vmId, permanently: true });
    }),
);

libvirtTest(
  "what was put into the bin is there after a restart, until its time is over",
  () =>
    withFolder(async (dataDir) => {
      const [uuid, sooner] = [crypto.randomUUID(), crypto.randomUUID()];
      const name = `kvmm-test-${uuid.slice(0, 8)}`, soonerName = `kvmm-test-${sooner.slice(0, 8)}`;
      {
        await using here = await appWith(dataDir);
        await machine(here.app, name, uuid);
        await machine(here.app, soonerName, sooner);
        await here.api.updateBinPolicy({ days: 2 });
        await here.api.deleteVm({ vmId: sooner });
        await here.api.updateBinPolicy({ days: 3 });
        await here.api.deleteVm({ vmId: uuid });
        await here.api.updateBinPolicy({ days: 300 });
      }
      const clock = new ForwardClock();
      await using here = await appWith(dataDir, clock);
      const names = async () => (await here.api.listBin()).map((entry) => entry.name);
      assert.deepEqual((await names()).sort(), [name, soonerName].sort());
      assert.equal((await here.api.getBinUsage()).policy.days, 300);
      clock.ahead = 2.9 * DAY_MS;
      // Once the other one is gone, the bin was looked through at that time.
      await until("the other one is gone", async () => !(await names()).includes(soonerName));
      assert.deepEqual(await names(), [name], "it went before its time");
      clock.ahead = 3.1 * DAY_MS;
      await until("it is gone", async () => (await here.api.listBin()).length === 0);
      const rows = await here.api.getActivity();
      assert.ok(rows.some(({ action, message }) => action === "prune_bin" && message?.includes(name)));
    }),
);

libvirtTest("with the bin off what is deleted is gone", () =>
  withFolder(async (dataDir) => {
    await using here = await appWith(dataDir);
    const uuid = crypto.randomUUID();
    await machine(here.app, `kvmm-test-${uuid.slice(0, 8)}`, uuid);
    await here.api.updateBinPolicy({ days: 0 });
    assert.equal((await here.api.getDeletePlan({ vmId: uuid })).binDays, 0);
    assert.equal((await here.api.deleteVm({ vmId: uuid })).bin, null);
    assert.deepEqual(await here.api.listBin(), []);
  }));

libvirtTest(
  "emptying deletes all of it, and one entry alone goes as well",
  () =>
    withFolder(async (dataDir) => {
      await using here = await appWith(dataDir);
      const { app, api } = here, ids = [1, 2, 3].map(() => crypto.randomUUID());
      for (const uuid of ids) await machine(app, `kvmm-test-${uuid.slice(0, 8)}`, uuid);
      const entries: string[] = [];
      for (const vmId of ids) entries.push((await api.deleteVm({ vmId })).bin!.entryId);
      await api.deleteBinEntry({ entryId: entries[0]! });
      assert.equal(await code(api.deleteBinEntry({ entryId: entries[0]! })), "BinEntryNotFound");
      assert.deepEqual(await api.emptyBin({ pool: "default-pool" }), { deleted: 0, bytes: 0, failed: [] });
      assert.deepEqual(await api.emptyBin(), { deleted: 2, bytes: 0, failed: [] });
      assert.deepEqual(await api.listBin(), []);
    }),
);

/** Has the application stand still before or after its next call of this name: as if it were killed there. */
function standsStill({ hosts }: Application, name: CallName, when: "before" | "after"): Promise<void> {
  const { link } = hosts.local, call = link.call.bind(link), reached = Promise.withResolvers<void>();
  link.call = async (asked, ...args) => {
    if (asked !== name) return await call(asked, ...args);
    if (when === "after") await call(asked, ...args);
    reached.resolve();
    return await new Promise<never>(() => {});
  };
  return reached.promise;
}

for (
  const [what, name, when, isThere] of [
    ["deleting", "domainUndefine", "before", true],
    ["deleting", "domainUndefine", "after", false],
    ["restoring", "domainDefine", "before", true],
    ["restoring", "domainDefine", "after", true],
  ] as const
) {
  libvirtTest(`a VM is whole after a kill ${when} ${name} of ${what}`, () =>
    withFolder(async (dataDir) => {
      const uuid = crypto.randomUUID(), vmName = `kvmm-test-${uuid.slice(0, 8)}`;
      // The test driver forgets everything with its last connection.
      const other = await Deno.makeTempDir({ dir: dataDir });
      await using _open = await appWith(other);
      let before: string[] = [];
      {
        await using here = await appWith(dataDir);
        const xml = await machine(here.app, vmName, uuid);
        before = await xml();
        const input = what === "deleting"
          ? undefined
          : { entryId: (await here.api.deleteVm({ vmId: uuid })).bin!.entryId };
        const reached = standsStill(here.app, name, when);
        const asked = input === undefined
          ? here.api.deleteVm({ vmId: uuid })
          : here.api.restoreBinEntry(input);
        asked.catch(() => {/* its process ends */});
        await reached;
      }
      await using here = await appWith(dataDir);
      const { operations, inventory, link } = here.app.hosts.local;
      await until("it is settled, and the VM is where it has to be", async () =>
        operations.unsettled === 0 && (inventory.vm(uuid) !== undefined) === isThere &&
        (await here.api.listBin()).length === (isThere ? 0 : 1));
      if (!isThere) return;
      const after = (await link.call("domainXml", { uuid, secure: true, inactive: true })).split("\n").sort();
      assert.deepEqual(after, before);
      await here.api.deleteVm({ vmId: uuid, permanently: true });
    }));
}
