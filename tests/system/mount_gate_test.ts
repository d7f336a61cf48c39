/** A mount that does not respond: it takes a few threads of ours, refuses what is asked of it, and libvirt never waits for it. */
import assert from "node:assert/strict";
import { openFile, readStart, statFile } from "../../agent/machine/host_file.ts";
import { hostFiles } from "../../agent/machine/host_files.ts";
import { notRespondingMounts } from "../../agent/machine/mount_gate.ts";
import { SettingsError } from "../../agent/settings_error.ts";
import { requireLocalDisk } from "../../agent/store/data_folder.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, readyServer, refusal, shows } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { slowStorage } from "../testbed/slow_storage.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest", "slowStorage") !== null;

/** Milliseconds in which an access to it is refused: the gate's limit, and the machine's own slowness. */
const REFUSED_MS = 3500;
/** … once it is known. */
const AT_ONCE_MS = 200;

async function timed<T>(what: string, most: number, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const answer = await work();
  const took = performance.now() - began;
  assert.ok(took < most, `${what} took ${Math.round(took)} ms`);
  return answer;
}

/** The code that work on files of ours is refused with. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ContractError) return error.code;
    throw error;
  }
  return "none";
}

/** Threads of this process that wait for the server of a FUSE file system. */
async function waitingThreads(): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir("/proc/self/task")) {
    const stack = await Deno.readTextFile(`/proc/self/task/${name}/wchan`).catch(() => ""); // it ended meanwhile
    if (/fuse|request_wait_answer/.test(stack)) count++;
  }
  return count;
}

Deno.test({
  name: "forty looks at files of a mount that hangs take four threads at most, and are refused",
  ignore,
  fn: async (t) => {
    const name = await testName("gate");
    const folder = filesOf(name);
    try {
      await Deno.mkdir(folder, { recursive: true });
      await using slow = await slowStorage(folder);
      for (let n = 0; n < 40; n++) await Deno.writeTextFile(`${slow.behind}/${n}`, `file ${n}`);
      await Deno.writeTextFile(`${folder}/here`, "here");
      await Deno.symlink(`${slow.path}/1`, `${folder}/link`);
      await statFile(`${slow.path}/0`);
      await t.step("no data folder is put there", async () => {
        for (const path of [slow.path, `${slow.path}/new/folder`]) {
          await assert.rejects(requireLocalDisk(path), SettingsError, path);
        }
        await requireLocalDisk(folder);
        await requireLocalDisk(`${folder}/new/folder`);
      });
      await t.step("while it hangs", async () => {
        await using _hung = await slow.hang();
        const looks = [statFile, openFile, (path: string) => readStart(path, 4), hostFiles.readDir];
        const began = performance.now();
        const all = Array.from({ length: 40 }, async (_, n) => {
          assert.equal(await codeOf(looks[n % looks.length]!(`${slow.path}/${n}`)), "StorageNotResponding");
          return performance.now() - began;
        });
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const waiting = await waitingThreads();
        assert.ok(waiting > 0 && waiting <= 4, `${waiting} threads wait`);
        const text = await timed("a file elsewhere", 100, () => Deno.readTextFile(`${folder}/here`));
        assert.equal(text, "here");
        await timed("a look elsewhere", 100, () => statFile(`${folder}/here`));
        const slowest = Math.max(...await Promise.all(all));
        assert.ok(slowest < REFUSED_MS, `the last was refused after ${Math.round(slowest)} ms`);
        for (const path of [`${slow.path}/5`, `${folder}/link`]) {
          const code = await timed(path, AT_ONCE_MS, () => codeOf(statFile(path)));
          assert.equal(code, "StorageNotResponding", path);
        }
        assert.deepEqual(notRespondingMounts().map(({ path }) => path), [slow.path]);
        assert.ok(await waitingThreads() <= 4);
      });
      await t.step("afterwards", async () => {
        await until("it to respond", () => Promise.resolve(notRespondingMounts().length === 0), {
          seconds: 10,
        });
        assert.equal((await statFile(`${slow.path}/7`)).size, 6);
        assert.equal(await waitingThreads(), 0);
      });
    } finally {
      await removeFiles(name);
    }
  },
});

Deno.test({
  name: "a VM with an ISO on a mount that hangs is not started, and libvirt answers throughout",
  ignore,
  fn: async (t) => {
    const name = await testName("gate");
    const folder = filesOf(name);
    try {
      await Deno.mkdir(folder, { recursive: true });
      await using slow = await slowStorage(folder);
      await Deno.writeFile(`${slow.behind}/cd.iso`, new Uint8Array(1 << 20));
      await Deno.symlink(`${slow.path}/cd.iso`, `${folder}/link.iso`);
      await using libvirt = await privateLibvirt("gate");
      await libvirt.virsh("pool-define-as", "slow", "dir", "--target", slow.path);
      await libvirt.virsh("pool-start", "slow");
      const [vm, other] = [await libvirt.machine(), await libvirt.machine()];
      await using server = await readyServer({ uri: libvirt.uri });
      const { target } = await call(server, "attach_disk", {
        vmId: vm.uuid,
        device: "cdrom",
        bus: "ide",
        path: `${slow.path}/cd.iso`,
      });
      const { target: empty } = await call(server, "attach_disk", {
        vmId: other.uuid,
        device: "cdrom",
        bus: "ide",
      });
      await shows(
        server,
        vm.uuid,
        ({ disks }) => disks.every(({ capacityBytes }) => capacityBytes !== undefined),
      );
      const answers = () => timed("virsh list", 1000, () => libvirt.virsh("list", "--all"));
      await t.step("while it hangs", async () => {
        await using _hung = await slow.hang();
        const refused = async (what: string, most: number, work: () => Promise<unknown>) => {
          const { code, message } = await timed(what, most, () => refusal(work()));
          assert.equal(code, "StorageNotResponding", `${what}: ${message}`);
          assert.ok(message.includes(slow.path) && message.includes("umount -l"), message);
          await answers();
        };
        await refused("start_vm", 4000, () => call(server, "start_vm", { vmId: vm.uuid }));
        await refused("start_vm again", 1000, () => call(server, "start_vm", { vmId: vm.uuid }));
        for (const path of [`${slow.path}/cd.iso`, `${folder}/link.iso`]) {
          const media = { vmId: other.uuid, target: empty, path };
          await refused("insert_media", 2000, () => call(server, "insert_media", media));
        }
        for (const command of ["stop_storage_pool", "refresh_storage_pool", "delete_storage_pool"] as const) {
          await refused(command, 1000, () => call(server, command, { pool: "slow" }));
        }
        const volume = { pool: "slow", name: "new.qcow2", format: "qcow2", capacityBytes: 1 << 20 } as const;
        await refused("create_volume", 1000, () => call(server, "create_volume", volume));
        const disk = { vmId: other.uuid, path: `${slow.path}/cd.iso`, format: "raw" } as const;
        await refused("attach_disk", 1000, () => call(server, "attach_disk", disk));
        const backup = { name: "slow", folder: slow.path, targets: { vmIds: [other.uuid] } };
        const unusable = await timed(
          "create_backup",
          1000,
          () => refusal(call(server, "create_backup", backup)),
        );
        assert.equal(unusable.code, "BackupFolderUnusable", unusable.message);
        assert.match(unusable.message, /has not responded since/);
        await timed("start_vm of another VM", 3000, () => call(server, "start_vm", { vmId: other.uuid }));
        await shows(server, other.uuid, ({ state }) => state === "running");
        await timed("force_stop_vm", 3000, () => call(server, "force_stop_vm", { vmId: other.uuid }));
        await timed("eject_media", 3000, () => call(server, "eject_media", { vmId: vm.uuid, target }));
        await answers();
      });
      await t.step("afterwards", async () => {
        const media = { vmId: vm.uuid, target, path: `${slow.path}/cd.iso` };
        await until("the medium to be inserted", async () => {
          const fault = await call(server, "insert_media", media).then(() => undefined, (error) => error);
          if (fault !== undefined && fault.code !== "StorageNotResponding") throw fault;
          return fault === undefined;
        }, { seconds: 10 });
        await call(server, "start_vm", { vmId: vm.uuid });
        await shows(server, vm.uuid, ({ state }) => state === "running");
        await call(server, "refresh_storage_pool", { pool: "slow" });
      });
    } finally {
      await removeFiles(name);
    }
  },
});
