import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { permissionsOf } from "../../lib/access/permissions.ts";
import { ALL_RIGHTS, type Rights } from "../../lib/access/rights.ts";
import { backupHandlers } from "./handlers.ts";
import type { BackupContext } from "./lookup.ts";

/** Nothing is wrong with what the backups cover. */
const COVERED = {
  coverage: { uncovered: () => ({}), nameOf: () => undefined },
  ownerLost: () => undefined,
  leftOut: () => [],
  since: () => 0,
  hostOf: () => undefined,
  placeOf: () => undefined,
};

Deno.test("list_vm_backups tells who may see one VM of this VM alone, and no place of the host", async () => {
  const vm = { id: "mine", name: "web", tags: ["daily"], group: "team" };
  const targets = {
    all: false,
    vmIds: ["mine", "theirs"],
    tags: ["daily", "their tag"],
    groups: ["team", "their group"],
  };
  const backup = {
    id: "b",
    name: "all",
    targets,
    timing: null,
    owner: { name: "root" },
    handled: 0,
    folder: "/srv/backups",
  };
  const lastRun = {
    startedAt: 1,
    message: "The folder /srv/backups is full",
    copies: [{ vmId: "mine" }, { vmId: "theirs" }],
  };
  const handlers = backupHandlers({
    ...COVERED,
    records: { require: () => {}, all: () => [backup] },
    runs: { isRunning: () => false },
    history: { lastRun: () => lastRun, list: () => Promise.resolve([]) },
    clock: { now: () => 0 },
    host: () => ({ requireVm: () => vm }),
  } as unknown as BackupContext);
  const asked = async (rights: Rights) =>
    (await handlers.list_vm_backups({ vmId: "mine" }, { principal: { rights } } as never)).backups[0]!;
  const one: Rights = [[{ permissions: permissionsOf("viewer"), on: { kind: "vm", vmId: "mine" } }]];
  const told = await asked(one);
  assert.deepEqual(told.targets, { all: false, vmIds: ["mine"], tags: ["daily"], groups: ["team"] });
  assert.deepEqual(told.lastRun, { startedAt: 1, message: null, copies: [{ vmId: "mine" }] });
  assert.equal(told.folder, "");
  assert.doesNotMatch(JSON.stringify(told), /\/srv/);
  assert.equal((await asked(ALL_RIGHTS)).folder, "/srv/backups");
});

Deno.test("a VM of another host is in no list of backups, and in no backup job", async () => {
  const here = { id: "local", requireVm: () => assert.fail("it is not here") }, lab = { id: "lab" };
  const handlers = backupHandlers({
    ...COVERED,
    records: { require: () => {}, all: () => [], put: () => assert.fail("it is kept") },
    clock: { now: () => 0 },
    host: () => here,
    hostOf: () => lab,
    vmsOf: () => Promise.resolve([{ id: "theirs", name: "web" }]),
  } as unknown as BackupContext);
  const isElsewhere = (error: unknown) => error instanceof ContractError && error.code === "BackupElsewhere";
  const context = { principal: { rights: ALL_RIGHTS, name: "root", uid: 0, via: "socket" } } as never;
  await assert.rejects(async () => await handlers.list_vm_backups({ vmId: "theirs" }, context), isElsewhere);
  const targets = { all: false, vmIds: ["theirs"], tags: [], groups: [] };
  const backup = { name: "nightly", folder: "/srv/backups", targets } as never;
  await assert.rejects(async () => await handlers.create_backup(backup, context), isElsewhere);
});

Deno.test("update_backup undoes nothing that others change while the new folder is looked at", async () => {
  let stored: Record<string, unknown> | undefined = {
    id: "b",
    name: "all",
    enabled: true,
    folder: "/old",
    repository: "old",
    timing: null,
    handled: 1,
    targets: { all: true, vmIds: [], tags: [], groups: [] },
    owner: { name: "root" },
  };
  const looked = Promise.withResolvers<number>(), looking = Promise.withResolvers<void>();
  const handlers = backupHandlers({
    ...COVERED,
    records: {
      require: () => {},
      all: () => stored === undefined ? [] : [stored],
      get: () => stored,
      put: (backup: typeof stored) => stored = backup,
    },
    targets: { find: () => ({ repository: "new" }), get: () => undefined },
    runs: { isRunning: () => false },
    history: {
      lastRun: () => null,
      leftBehind: () => {
        looking.resolve();
        return looked.promise;
      },
    },
    clock: { now: () => 5 },
    vmsOf: () => Promise.resolve([]),
    host: () => ({}),
  } as unknown as BackupContext);
  const principal = { via: "session", name: "root", userId: "u", rights: {} };
  const change = { backupId: "b", keep: 3, backupTargetId: "t" };
  const updating = handlers.update_backup(change, { principal } as never);
  await Promise.race([looking.promise, updating]);
  stored = { ...stored!, enabled: false, handled: 4 };
  looked.resolve(0);
  await updating;
  assert.deepEqual([stored!.enabled, stored!.handled, stored!.keep], [false, 4, 3]);
});

Deno.test("delete_backup is refused with the names of what runs the backup", async () => {
  let users = ["the schedule nightly", "the schedule weekly"];
  const removed: string[] = [];
  const handlers = backupHandlers({
    ...COVERED,
    records: {
      require: () => {},
      get: (id: string) => ({ id, name: "all" }),
      usersOf: () => users,
      runs: () => [],
      remove: (id: string) => removed.push(id),
    },
    runs: { isRunning: () => false },
  } as unknown as BackupContext);
  const remove = async () => await handlers.delete_backup({ backupId: "b" }, {} as never);
  await assert.rejects(remove, { code: "BackupInUse", message: /the schedule nightly, the schedule weekly/ });
  assert.deepEqual(removed, []);
  users = [];
  await remove();
  assert.deepEqual(removed, ["b"]);
});
