/**
 * Operations that copy disks or keep them, to be killed in the middle: clones of VMs that run, snapshots, templates,
 * backups and their restores, archives, VMs in the bin.
 */
import assert from "node:assert/strict";
import { BIN_FOLDER } from "../../lib/bin/place.ts";
import type { Template } from "../../lib/contract/mod.ts";
import { endOf, runOf } from "./backups.ts";
import {
  config,
  isThere,
  type KillBench,
  type KillScenario,
  makeMachine,
  NotDone,
  removeMachine,
} from "./kill_scenarios.ts";
import { exists, run } from "./process.ts";
import { call } from "./product.ts";

/** A VM with a copy of the image, which is enough content for a copy of it to be met in the middle. */
const filled = (bench: KillBench, name: string, start = false) =>
  makeMachine(
    bench,
    config(name, {
      disks: [{ path: "images/base.qcow2", copyAs: "qcow2", pool: "images" }],
      start,
    }),
  );

/** Path of the image of a VM's only disk. */
async function diskOf({ host }: KillBench, name: string): Promise<string> {
  const xml = await host.virsh("dumpxml", "--inactive", name);
  return /<source file='([^']+)'/.exec(xml)?.[1] ?? assert.fail(`${name} has no disk`);
}

/** Whether an image reads as what VMs here are filled with. A VM that runs may have it open. */
async function isFilled({ pool }: KillBench, path: string): Promise<boolean> {
  const compared = await new Deno.Command("qemu-img", {
    args: ["compare", "-U", "-f", "qcow2", "-F", "qcow2", `${pool}/base.qcow2`, path],
  }).output();
  assert.ok(compared.code < 2, new TextDecoder().decode(compared.stderr));
  return compared.code === 0;
}

/** Writes over what a VM that is off has on its disk. */
const change = async (bench: KillBench, name: string) =>
  await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x77 1M 1M", await diskOf(bench, name)]);

/** Whether a VM that must run on does, with nothing copied from it any more. */
async function requireRunning({ host }: KillBench, name: string): Promise<void> {
  assert.equal(await host.virsh("domstate", name), "running", `${name} does not run on`);
  assert.equal(await host.virsh("blockjob", name, "vda", "--info"), "", `${name} is still being copied`);
}

/** Whether a VM has the snapshot of its round. */
async function hasSnapshot({ server, ...bench }: KillBench, name: string): Promise<boolean> {
  const vmId = (await bench.host.virsh("domuuid", name)).trim();
  return (await call(server, "list_snapshots", { vmId })).snapshots.some((each) => each.name === "one");
}

const snap = (server: KillBench["server"], vmId: string) =>
  call(server, "create_snapshot", { vmId, name: "one", memory: false });

/** A VM in the state of its snapshot's kind: off for an internal one, running for an external one. */
const snapshots = (kind: "internal" | "external"): KillScenario[] => {
  const isExternal = kind === "external", vm = (n: number) => `snapped-${n}`;
  const common = {
    vm,
    clear: (bench: KillBench, n: number) => removeMachine(bench, vm(n)),
  };
  const snapped = async (bench: KillBench, n: number) =>
    await snap(bench.server, await filled(bench, vm(n), isExternal));
  const content = async (bench: KillBench, n: number) => {
    if (isExternal) await requireRunning(bench, vm(n));
    assert.ok(await isFilled(bench, await diskOf(bench, vm(n))), "its disk is not what it was");
  };
  return [
    {
      ...common,
      name: `create_snapshot, ${kind}`,
      prepare: (bench, n) => filled(bench, vm(n), isExternal),
      run: ({ server }, _n, vmId) => snap(server, vmId),
      isWhole: async (bench, n) => {
        await content(bench, n);
        return await hasSnapshot(bench, vm(n));
      },
    },
    {
      ...common,
      name: `delete_snapshot, ${kind}`,
      prepare: snapped,
      run: ({ server }, _n, vmId) => call(server, "delete_snapshot", { vmId, name: "one" }),
      isWhole: async (bench, n) => {
        await content(bench, n);
        return !await hasSnapshot(bench, vm(n));
      },
    },
  ];
};

/** Whether the activity list says so. */
const isTold = async ({ server }: KillBench, text: string): Promise<boolean> =>
  (await call(server, "get_activity", { limit: 20 })).some(({ message }) => message?.includes(text));

/**
 * Takes a copy away that a move has left. libvirt that is killed while it tells QEMU of the copy forgets that QEMU has it
 * open: it stays then, and the activity list names it.
 */
async function removeNamed(bench: KillBench, name: string): Promise<void> {
  const { server, pool } = bench, path = `${pool}/${name}.qcow2`;
  const told = await isTold(bench, `Left as it is: ${path}, because a program has it open: delete it`);
  if (!told || !await exists(path)) return;
  console.log(`QEMU has the copy of ${name} open for good: it is removed by hand`);
  await call(server, "delete_volume", { pool: "images", volume: `${name}.qcow2` });
}

/** A disk that moves into the pool of the bench, of a VM that runs or is off. */
const moves = (isRunning: boolean): KillScenario => {
  const vm = (n: number) => `moved-${n}`, other = (n: number) => `other-${n}`;
  return {
    name: `move_disk, of a VM that ${isRunning ? "runs" : "is off"}`,
    vm,
    prepare: async (bench, n) => {
      const { server, folder } = bench;
      await call(server, "create_storage_pool", {
        name: other(n),
        type: "dir",
        path: `${folder}/${other(n)}`,
      });
      await makeMachine(
        bench,
        config(vm(n), {
          disks: [{ path: "images/base.qcow2", copyAs: "qcow2", pool: other(n) }],
          start: isRunning,
        }),
      );
    },
    run: ({ server }, _n, vmId) => call(server, "move_disk", { vmId, target: "vda", pool: "images" }),
    isWhole: async (bench, n) => {
      if (isRunning) await requireRunning(bench, vm(n));
      const path = await diskOf(bench, vm(n)), isMoved = path.startsWith(`${bench.pool}/`);
      if (isRunning) {
        const live = await bench.host.virsh("dumpxml", vm(n));
        assert.ok(live.includes(`<source file='${path}'`), `it runs on another image than ${path}`);
      }
      assert.ok(await isFilled(bench, path), "its disk is not what it was");
      const left = await Array.fromAsync(Deno.readDir(`${bench.folder}/${other(n)}`));
      const images = left.filter(({ isFile }) => isFile).map(({ name }) =>
        `${bench.folder}/${other(n)}/${name}`
      );
      const [old] = images;
      // libvirt that is killed while QEMU goes over to the copy may take the old volume for the disk: that is said.
      const stays = isMoved && old !== undefined &&
        await isTold(bench, `Left as it is: ${old}, because libvirt,`);
      assert.equal(
        images.length,
        isMoved && !stays ? 0 : 1,
        "the old volume is gone too early, or still there",
      );
      if (!isMoved) await removeNamed(bench, vm(n));
      return isMoved;
    },
    clear: async (bench, n) => {
      await removeMachine(bench, vm(n));
      await call(bench.server, "delete_storage_pool", { pool: other(n), deleteContent: true });
    },
  };
};

async function templateOf({ server }: KillBench, n: number): Promise<Template | undefined> {
  return (await call(server, "list_templates")).find(({ name }) => name === `kept-${n}`);
}

async function requireTemplate(bench: KillBench, n: number): Promise<Template> {
  return await templateOf(bench, n) ?? assert.fail("there is no template");
}

const makeTemplate = ({ server }: KillBench, n: number, vmId: string) =>
  call(server, "create_template", { vmId, name: `kept-${n}` });

/** A template, of a VM that is gone again. */
async function prepareTemplate(bench: KillBench, n: number): Promise<void> {
  await makeTemplate(bench, n, await filled(bench, `model-${n}`));
  await removeMachine(bench, `model-${n}`);
}

async function removeTemplate(bench: KillBench, n: number): Promise<void> {
  const { id: templateId } = await requireTemplate(bench, n);
  await call(bench.server, "delete_template", { templateId });
}

/** The VMs that a backup here is for. */
const SAVED = ["saved-a", "saved-b"] as const;
const savedVm = (n: number) => `${SAVED[0]}-${n}`;
const folderOf = ({ folder }: KillBench, n: number) => `${folder}/copies-${n}`;

async function backupOf({ server }: KillBench, n: number): Promise<string> {
  const found = (await call(server, "list_backups")).find(({ name }) => name === `copies-${n}`);
  return found?.id ?? assert.fail("there is no backup");
}

/** Some VMs and a backup for them, two at once. */
async function prepareBackup(bench: KillBench, n: number, names: readonly string[] = SAVED): Promise<string> {
  const vmIds: string[] = [];
  for (const name of names) vmIds.push(await filled(bench, `${name}-${n}`));
  const folder = folderOf(bench, n);
  await Deno.mkdir(folder);
  const input = { name: `copies-${n}`, folder, targets: { vmIds }, parallel: 2 };
  return (await call(bench.server, "create_backup", input)).id;
}

/** One VM that was copied, and was changed since. */
async function prepareCopy(bench: KillBench, n: number): Promise<void> {
  const backupId = await prepareBackup(bench, n, [SAVED[0]]);
  const { state, message } = await runOf(bench.server, backupId);
  assert.equal(state, "done", message ?? "");
  await change(bench, savedVm(n));
}

async function clearBackup(bench: KillBench, n: number): Promise<void> {
  await call(bench.server, "delete_backup", { backupId: await backupOf(bench, n) });
  await Deno.remove(folderOf(bench, n), { recursive: true });
  for (const name of SAVED) await removeMachine(bench, `${name}-${n}`);
}

/** Backup, run and copy to restore in a round. */
async function copied(bench: KillBench, n: number, vmId: string) {
  const backupId = await backupOf(bench, n);
  const [last] = await call(bench.server, "list_backup_runs", { backupId });
  return { backupId, runId: last!.id, vmId };
}

/** The entry of a round's VM in the bin; it is there or in the bin, and never in both or nowhere. */
async function binnedVm(bench: KillBench, n: number): Promise<string | undefined> {
  const entry = (await call(bench.server, "list_bin")).find(({ name }) => name === `binned-${n}`);
  assert.deepEqual(entry?.missing ?? [], []);
  return entry?.id;
}

async function prepareBinnedVm(bench: KillBench, n: number): Promise<void> {
  await call(bench.server, "update_bin_policy", { days: 7 });
  const vmId = await filled(bench, `binned-${n}`);
  await call(bench.server, "delete_vm", { vmId, deleteDisks: true });
  await call(bench.server, "update_bin_policy", { days: 0 });
}

export const COPY_SCENARIOS: readonly KillScenario[] = [
  {
    name: "clone_vm, of one that runs",
    prepare: (bench, n) => filled(bench, `live-${n}`, true),
    vm: (n) => `live-${n}`,
    run: ({ server }, n, vmId) => call(server, "clone_vm", { vmId, name: `twin-${n}` }),
    isWhole: async (bench, n) => {
      await requireRunning(bench, `live-${n}`);
      if (!await isThere(bench, `twin-${n}`)) return false;
      assert.ok(await isFilled(bench, await diskOf(bench, `twin-${n}`)), "it is no copy");
      return true;
    },
    clear: async (bench, n) => {
      for (const name of ["live", "twin"]) await removeMachine(bench, `${name}-${n}`);
    },
  },
  moves(true),
  moves(false),
  ...snapshots("internal"),
  ...snapshots("external"),
  {
    name: "revert_snapshot, internal",
    prepare: async (bench, n) => {
      await snap(bench.server, await filled(bench, `snapped-${n}`));
      await change(bench, `snapped-${n}`);
    },
    vm: (n) => `snapped-${n}`,
    run: ({ server }, _n, vmId) => call(server, "revert_snapshot", { vmId, name: "one" }),
    isWhole: async (bench, n) => {
      assert.ok(await hasSnapshot(bench, `snapped-${n}`));
      return await isFilled(bench, await diskOf(bench, `snapped-${n}`));
    },
    clear: (bench, n) => removeMachine(bench, `snapped-${n}`),
  },
  {
    name: "create_template",
    prepare: (bench, n) => filled(bench, `model-${n}`),
    vm: (n) => `model-${n}`,
    run: makeTemplate,
    isWhole: async (bench, n) => {
      const made = await templateOf(bench, n);
      if (made === undefined) return false;
      for (const { path } of made.versions[0]!.disks) assert.ok(await isFilled(bench, path), "it is no copy");
      return true;
    },
    clear: async (bench, n) => {
      await removeTemplate(bench, n);
      await removeMachine(bench, `model-${n}`);
    },
  },
  {
    name: "create_vm_from_template",
    prepare: prepareTemplate,
    run: async (bench, n) => {
      const { id: templateId } = await requireTemplate(bench, n);
      await call(bench.server, "create_vm_from_template", {
        templateId,
        name: `made-${n}`,
        linked: n % 2 === 0,
      });
    },
    isWhole: (bench, n) => isThere(bench, `made-${n}`),
    clear: async (bench, n) => {
      await removeMachine(bench, `made-${n}`);
      await removeTemplate(bench, n);
    },
  },
  {
    name: "delete_template",
    prepare: prepareTemplate,
    run: removeTemplate,
    isWhole: async (bench, n) => await templateOf(bench, n) === undefined,
    clear: () => Promise.resolve(),
  },
  {
    name: "run_backup_now, of two VMs at once",
    prepare: (bench, n) => prepareBackup(bench, n),
    run: async (bench, n) => {
      const { server } = bench, backupId = await backupOf(bench, n);
      const { id } = await call(server, "run_backup_now", { backupId });
      const { state, message } = await endOf(server, backupId, id);
      if (state !== "done") throw new NotDone(message ?? state);
    },
    isWhole: async (bench, n) => {
      const { server } = bench, backupId = await backupOf(bench, n);
      const [last] = await call(server, "list_backup_runs", { backupId });
      if (last?.state !== "done") return false;
      assert.equal(last.copies.length, SAVED.length);
      assert.equal((await call(server, "verify_backup", { backupId, runId: last.id })).ok, true);
      return true;
    },
    clear: clearBackup,
  },
  {
    name: "restore_backup as a new VM",
    prepare: prepareCopy,
    vm: savedVm,
    run: async (bench, n, vmId) => {
      const input = { ...await copied(bench, n, vmId), name: `restored-${n}`, pool: "images" };
      await call(bench.server, "restore_backup", input);
    },
    isWhole: async (bench, n) => {
      if (!await isThere(bench, `restored-${n}`)) return false;
      assert.ok(await isFilled(bench, await diskOf(bench, `restored-${n}`)), "it is not what was copied");
      return true;
    },
    clear: async (bench, n) => {
      await removeMachine(bench, `restored-${n}`);
      await clearBackup(bench, n);
    },
  },
  {
    name: "restore_backup in place",
    prepare: prepareCopy,
    vm: savedVm,
    run: async (bench, n, vmId) =>
      await call(bench.server, "restore_backup", { ...await copied(bench, n, vmId), inPlace: true }),
    isWhole: async (bench, n) => {
      assert.ok(await isThere(bench, savedVm(n)), "the VM is gone");
      return await isFilled(bench, await diskOf(bench, savedVm(n)));
    },
    clear: clearBackup,
  },
  {
    name: "restore_backup_disk",
    prepare: prepareCopy,
    vm: savedVm,
    run: async (bench, n, vmId) => {
      const place = { target: "vda", pool: "images", volume: `disk-${n}.qcow2` };
      await call(bench.server, "restore_backup_disk", { ...await copied(bench, n, vmId), ...place });
    },
    isWhole: async (bench, n) => {
      const path = `${bench.pool}/disk-${n}.qcow2`;
      if (!await exists(path)) return false;
      assert.ok(await isFilled(bench, path), "it is not what was copied");
      return true;
    },
    clear: async (bench, n) => {
      await call(bench.server, "delete_volume", { pool: "images", volume: `disk-${n}.qcow2` });
      await clearBackup(bench, n);
    },
    files: (n) => [`disk-${n}.qcow2`],
  },
  {
    name: "export_ova",
    prepare: (bench, n) => filled(bench, `packed-${n}`),
    vm: (n) => `packed-${n}`,
    run: ({ server }, _n, vmId) => call(server, "export_ova", { vmId }),
    isWhole: ({ pool }, n) => exists(`${pool}/packed-${n}.ova`),
    clear: async (bench, n) => {
      await call(bench.server, "delete_volume", { pool: "images", volume: `packed-${n}.ova` });
      await removeMachine(bench, `packed-${n}`);
    },
    files: (n) => [`packed-${n}.ova`],
  },
  {
    name: "import_ova",
    prepare: async (bench, n) => {
      await call(bench.server, "export_ova", { vmId: await filled(bench, `packed-${n}`) });
      await removeMachine(bench, `packed-${n}`);
    },
    run: ({ server }, n) => call(server, "import_ova", { pool: "images", volume: `packed-${n}.ova` }),
    isWhole: async (bench, n) => {
      if (!await isThere(bench, `packed-${n}`)) return false;
      assert.ok(await isFilled(bench, await diskOf(bench, `packed-${n}`)), "it is not what was packed");
      return true;
    },
    clear: async (bench, n) => {
      await removeMachine(bench, `packed-${n}`);
      await call(bench.server, "delete_volume", { pool: "images", volume: `packed-${n}.ova` });
    },
    files: (n) => [`packed-${n}.ova`],
    filesBefore: (n) => [`packed-${n}.ova`],
  },
  {
    name: "restore_bin_entry of a VM",
    prepare: prepareBinnedVm,
    run: async (bench, n) => {
      const entryId = await binnedVm(bench, n) ?? assert.fail("it is not in the bin");
      await call(bench.server, "restore_bin_entry", { entryId });
    },
    isWhole: async (bench, n) => {
      const name = `binned-${n}`, isBack = await isThere(bench, name);
      assert.equal(await binnedVm(bench, n) === undefined, isBack, "it is there and in the bin, or nowhere");
      if (isBack) assert.ok(await isFilled(bench, await diskOf(bench, name)), "its disk is not what it was");
      return isBack;
    },
    clear: (bench, n) => removeMachine(bench, `binned-${n}`),
    filesBefore: () => [BIN_FOLDER],
  },
  {
    name: "delete_bin_entry of a VM",
    prepare: prepareBinnedVm,
    run: async (bench, n) => {
      const entryId = await binnedVm(bench, n) ?? assert.fail("it is not in the bin");
      await call(bench.server, "delete_bin_entry", { entryId });
    },
    isWhole: async (bench, n) => await binnedVm(bench, n) === undefined,
    clear: () => Promise.resolve(),
    filesBefore: () => [BIN_FOLDER],
  },
];
