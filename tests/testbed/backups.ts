/** Functions shared by tests of backups: a folder for them, a run to its end, content as a guest sees it. */
import assert from "node:assert/strict";
import type { Api } from "../../lib/contract/api.ts";
import type { BackupRun } from "../../lib/contract/mod.ts";
import { virsh } from "./libvirt.ts";
import type { TestMachine } from "./machine.ts";
import { run } from "./process.ts";
import { call } from "./product.ts";
import type { TestServer } from "./server.ts";
import { until } from "./wait.ts";

/** A folder for backups that QEMU's user may go into. */
export async function backupFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ dir: "/var/lib/libvirt", prefix: "kvmm-test-backup-" });
  await Deno.chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Waits for a run's end. */
export async function endOf(server: TestServer, backupId: string, runId: string): Promise<BackupRun> {
  return await until("the backup's end", async () => {
    const found = (await call(server, "list_backup_runs", { backupId })).find(({ id }) => id === runId);
    return found !== undefined && found.state !== "running" ? found : null;
  }, { every: 100, seconds: 120 });
}

/** Runs a backup, and waits for its end. */
export async function runOf(server: TestServer, backupId: string, full?: boolean): Promise<BackupRun> {
  const { id } = await call(server, "run_backup_now", { backupId, ...(full !== undefined && { full }) });
  return await endOf(server, backupId, id);
}

/** Backs a VM up by an application of the test's own process, and waits for the copy. @returns the backup and its run */
export async function copiedHere(
  api: Api,
  folder: string,
  vmId: string,
): Promise<{ readonly backupId: string; readonly runId: string }> {
  const { id: backupId } = await api.createBackup({ name: vmId, folder, targets: { vmIds: [vmId] } });
  const { id: runId } = await api.runBackupNow({ backupId });
  const { state } = await until("the backup's end", async () => {
    const found = (await api.listBackupRuns({ backupId })).find(({ id }) => id === runId);
    return found !== undefined && found.state !== "running" ? found : null;
  }, { every: 100, seconds: 120 });
  assert.equal(state, "done");
  return { backupId, runId };
}

/** Log of a run's task. */
export async function logOf(server: TestServer, { jobId }: BackupRun): Promise<string> {
  const { log } = await call(server, "get_job", { jobId: jobId! });
  return log.map(({ text }) => text).join("\n");
}

/** The content of an image, as a guest sees it. */
export async function bytesIn(path: string, format: string): Promise<Uint8Array<ArrayBuffer>> {
  const raw = await Deno.makeTempFile();
  try {
    await run(["qemu-img", "convert", "-f", format, "-O", "raw", path, raw]);
    return await Deno.readFile(raw);
  } finally {
    await Deno.remove(raw);
  }
}

/** The SHA-256 of {@link bytesIn}. */
export async function contentOf(path: string, format: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await bytesIn(path, format));
  return new Uint8Array(digest).toHex();
}

/** Bytes of a MiB. */
export const MIB = 1024 ** 2;

/** Writes as the guest does, through its disk: `write -P 1 0 64k`. */
export async function write(vm: TestMachine, command: string, disk = 0): Promise<void> {
  const device = `/machine/peripheral/virtio-disk${disk}/virtio-backend`;
  const said = await virsh("qemu-monitor-command", vm.name, "--hmp", `qemu-io -d ${device} "${command}"`);
  assert.doesNotMatch(said, /error|failed|invalid|cannot/i, said);
}

/** The names of its checkpoints. */
export const checkpoints = async (vm: TestMachine) =>
  (await virsh("checkpoint-list", vm.name, "--name")).split("\n").filter((line) => line !== "");

/** The lists of chunks of the newest copy. */
export async function chunksOf(folder: string): Promise<string> {
  const copies = `${folder}/kvm-manager-backups/copies`;
  const names = (await Array.fromAsync(Deno.readDir(copies))).map(({ name }) => name);
  const times = await Promise.all(names.map(async (name) => {
    const { takenAt } = JSON.parse(await Deno.readTextFile(`${copies}/${name}/manifest.json`));
    return { name, takenAt };
  }));
  const newest = times.sort((a, b) => b.takenAt - a.takenAt)[0]!.name;
  return await Deno.readTextFile(`${copies}/${newest}/vda.chunks`);
}

/** Content of the first disk in a run's copy, restored. */
export async function restored(
  server: TestServer,
  { backupId, runId, vm, pool }: { backupId: string; runId: string; vm: TestMachine; pool: string },
): Promise<Uint8Array> {
  const name = `${vm.name}-${crypto.randomUUID().slice(0, 6)}`;
  const { vmId } = await call(server, "restore_backup", { backupId, runId, vmId: vm.uuid, name, pool });
  const { disks } = await call(server, "get_vm", { vmId });
  const bytes = await bytesIn(disks[0]!.source!, disks[0]!.format!);
  await virsh("undefine", name);
  for (const { source } of disks) await Deno.remove(source!);
  await virsh("pool-refresh", pool);
  return bytes;
}

/** The one copy of a run that is done. */
export const done = (run: BackupRun): BackupRun["copies"][number] => {
  assert.equal(run.state, "done", JSON.stringify(run));
  return run.copies[0]!;
};

/** Why libguestfs cannot be tried here: it needs its programs, and a kernel that it boots. */
export async function withoutGuestfs(): Promise<string | null> {
  const has = async (path: string) => await Deno.stat(path).then(() => true, () => false);
  if (!await has("/usr/bin/guestfish")) return "libguestfs-tools is not installed";
  const kernels = (await Array.fromAsync(Deno.readDir("/boot"))).filter(({ name }) =>
    name.startsWith("vmlinuz")
  );
  return kernels.length === 0 ? "there is no kernel in /boot" : null;
}

/** Files below a folder that hold a text, as their content or their name. */
export async function holding(folder: string, ...words: string[]): Promise<string> {
  const found = await Promise.all(words.map(async (word) => {
    const inside = await run(["sh", "-c", 'grep -rlaF -- "$1" "$0" || true', folder, word]);
    return inside + await run(["find", folder, "-name", `*${word}*`]);
  }));
  return found.join("");
}
