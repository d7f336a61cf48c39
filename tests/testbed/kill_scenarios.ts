/** Every command of several steps, as something that can be killed in the middle, looked at and done again. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { BIN_FOLDER } from "../../lib/bin/place.ts";
import type { Input } from "../../lib/contract/mod.ts";
import { domainXml } from "./domain_xml.ts";
import type { Mirror } from "./mirror.ts";
import type { PrivateLibvirt } from "./private_libvirt.ts";
import { openOperations } from "./open_operations.ts";
import { exists, ProcessError, run } from "./process.ts";
import { call, readyServer } from "./product.ts";
import type { TestServer } from "./server.ts";
import { testerHeaders } from "./sign_in.ts";
import { delay, until } from "./wait.ts";

/** A job that ended without being done. */
export class NotDone extends Error {
  override readonly name = "NotDone";
}

/** Waits for the end of a job. @throws {NotDone} */
async function done(server: TestServer, jobId: string): Promise<void> {
  const { state, error } = await until("the job to be over", async () => {
    const { job } = await call(server, "get_job", { jobId });
    return job.endedAt === null ? null : job;
  }, { seconds: 60, every: 50 });
  if (state !== "done") throw new NotDone(error?.code ?? state);
}

/** A host, and the product on it. */
export class KillBench {
  server!: TestServer;

  constructor(
    readonly host: PrivateLibvirt,
    readonly pool: string,
    readonly dataDir: string,
    readonly mirror: Mirror,
  ) {}

  async start(): Promise<void> {
    const { uri } = this.host;
    this.server = await readyServer({
      uri,
      dataDir: this.dataDir,
      seconds: 90,
    });
  }

  /** Folder for pools of their own. */
  get folder(): string {
    return this.dataDir.slice(0, this.dataDir.lastIndexOf("/"));
  }

  /** Machines by name. */
  async machines(): Promise<string[]> {
    return (await this.host.virsh("list", "--all", "--name")).split("\n").map((line) => line.trim()).filter(
      Boolean,
    );
  }

  async id(name: string): Promise<string> {
    return (await this.host.virsh("domuuid", name)).trim();
  }

  /** The machine that an operation is about; nothing where there is none yet. */
  async idFor({ vm }: KillScenario, n: number): Promise<string> {
    return vm === undefined ? "" : await this.id(vm(n));
  }

  /** Names of files in the pool's folder. */
  async files(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(this.pool))).map(({ name }) => name).sort();
  }

  /** Names of the pool's files that some machine or template has. */
  async used(): Promise<string[]> {
    const found: string[] = [];
    for (const name of await this.machines()) {
      const xml = await this.host.virsh("dumpxml", "--inactive", name).catch((error) => {
        // A boot test's VM goes by itself.
        if (error instanceof ProcessError && error.message.includes("failed to get domain")) return "";
        throw error;
      });
      const paths = [...xml.matchAll(/<source file='([^']+)'/g)].map((match) => match[1]!);
      found.push(
        ...paths.filter((path) => path.startsWith(`${this.pool}/`)).map((path) => path.split("/").at(-1)!),
      );
    }
    for (const { versions } of await call(this.server, "list_templates")) {
      found.push(...versions.flatMap(({ disks }) => disks.map(({ volume }) => volume)));
    }
    return found;
  }

  /** Operations that are not settled. */
  open(): string[] {
    return openOperations(this.dataDir);
  }
}

/** One operation: how it is begun, told to be whole, and cleared away. `n` keeps the names of rounds apart. */
export interface KillScenario {
  readonly name: string;
  prepare?(bench: KillBench, n: number): Promise<unknown>;
  /** The machine it is about, where there is one. */
  vm?(n: number): string;
  run(bench: KillBench, n: number, vmId: string): Promise<unknown>;
  isWhole(bench: KillBench, n: number): Promise<boolean>;
  clear(bench: KillBench, n: number): Promise<unknown>;
  /** Files that no machine has, when it is whole, and when it was undone. */
  files?(n: number): string[];
  filesBefore?(n: number): string[];
}

/** The input of a small VM in the pool. */
export const config = (name: string, more: Partial<Input<"create_vm">> = {}): Input<"create_vm"> => ({
  name,
  memoryMb: 128,
  nics: [],
  disks: [{ sizeGb: 1, pool: "images" }],
  ...more,
});

/** Makes a VM. @returns its id */
export async function makeMachine({ server }: KillBench, input: Input<"create_vm">): Promise<string> {
  return (await call(server, "create_vm", input)).id;
}

/** Deletes a machine with its disks, whatever it does. */
export async function removeMachine(bench: KillBench, name: string): Promise<void> {
  const { host, server } = bench;
  if (!(await bench.machines()).includes(name)) return;
  const vmId = await bench.id(name);
  if (await host.virsh("domstate", name) === "running") await call(server, "force_stop_vm", { vmId });
  await call(server, "delete_vm", { vmId, deleteDisks: true });
}

/** Whether there is a machine of this name. */
export const isThere = async (bench: KillBench, name: string) => (await bench.machines()).includes(name);

/** Whether a copy holds what its source does. */
async function isCopy({ pool }: KillBench, name: string, format: string): Promise<boolean> {
  if (!await exists(`${pool}/${name}`)) return false;
  await run(["qemu-img", "compare", "-f", "qcow2", "-F", format, `${pool}/base.qcow2`, `${pool}/${name}`]);
  return true;
}

/** Cloud-init settings of one form. */
const named = (hostname: string) => ({ form: { hostname, users: [{ name: "ann", password: "geheim-42" }] } });

const seeded = (name: string, hostname: string) => config(name, { cloudInit: named(hostname) });

/** Whether the VM that is changed has a volume of the pool as a disk. */
const hasDisk = async (bench: KillBench, name: string) => (await bench.used()).includes(name);

/** Takes a disk away with its volume. The product is asked where it is: libvirt may be killed just now. */
async function detach({ server }: KillBench, vmId: string, name: string): Promise<void> {
  const { disks } = await call(server, "get_vm", { vmId });
  const disk = disks.find(({ source }) => source?.endsWith(`/${name}`)) ?? assert.fail(`${name} is no disk`);
  await call(server, "detach_disk", { vmId, target: disk.target, deleteVolume: true });
}

/** Content of an upload, in pieces with pauses. */
const SENT = new Uint8Array(400_000).map((_, index) => index * 11 % 253);
const PIECES = 5, PAUSE_MS = 30;

/** Uploads a file as slowly as a line does. @throws {NotDone} {TypeError} when the connection broke */
async function upload(server: TestServer, name: string): Promise<void> {
  const size = SENT.length / PIECES;
  const body = ReadableStream.from((async function* () {
    for (let at = 0; at < SENT.length; at += size) {
      await delay(PAUSE_MS);
      yield SENT.slice(at, at + size);
    }
  })());
  const response = await fetch(`${server.url}/api/v1/storage/pools/images/volumes/${name}/content`, {
    method: "PUT",
    body,
    headers: { ...testerHeaders(server.url), "content-range": `bytes 0-${SENT.length - 1}/${SENT.length}` },
  });
  const answer = await response.json() as { code?: string };
  if (!response.ok) throw new NotDone(answer.code ?? String(response.status));
}

/** Volumes of a pool that goes. */
const FILLED = ["one.qcow2", "two.qcow2", "three.qcow2"];

const makePool = ({ server, folder }: KillBench, name: string) =>
  call(server, "create_storage_pool", { name, type: "dir", path: `${folder}/${name}` });

/** Whether there is a pool, which is on and starts with the host; without it there is no folder of it either. */
async function hasPool({ host, folder }: KillBench, name: string): Promise<boolean> {
  const isThere = (await host.virsh("pool-list", "--all", "--name")).split("\n").some((line) =>
    line.trim() === name
  );
  assert.equal(await exists(`${folder}/${name}`), isThere, "the pool or its folder is there alone");
  if (!isThere) return false;
  const info = await host.virsh("pool-info", name);
  assert.match(info, /State:\s+running/, "it is left off");
  assert.match(info, /Autostart:\s+yes/, "it does not start with the host");
  return true;
}

/** Whether there is a network, which is on and starts with the host. */
async function isActiveNetwork({ host }: KillBench, name: string): Promise<boolean> {
  const all = await host.virsh("net-list", "--all", "--name");
  if (!all.split("\n").some((line) => line.trim() === name)) return false;
  const info = await host.virsh("net-info", name);
  assert.match(info, /Active:\s+yes/, "it is left off");
  assert.match(info, /Autostart:\s+yes/, "it does not start with the host");
  return true;
}

/** The entry of a volume in the bin; it is there, or in the bin, and never in both or nowhere. */
async function binnedVolume({ server, pool }: KillBench, name: string): Promise<string | undefined> {
  const entry = (await call(server, "list_bin")).find((each) => each.name === `images/${name}`);
  assert.equal(
    await exists(`${pool}/${name}`),
    entry === undefined,
    "it is there and in the bin, or nowhere",
  );
  assert.deepEqual(entry?.missing ?? [], []);
  return entry?.id;
}

/** Makes a volume, with the bin on. */
async function volumeForBin({ server }: KillBench, name: string): Promise<void> {
  await call(server, "update_bin_policy", { days: 7 });
  await call(server, "create_volume", { pool: "images", name, capacityBytes: 2 ** 20 });
}

/** Every command of several steps. */
export const KILL_SCENARIOS: readonly KillScenario[] = [
  {
    name: "create_vm, with cloud-init, started",
    run: ({ server }, n) =>
      call(
        server,
        "create_vm",
        config(`new-${n}`, {
          start: true,
          cloudInit: { form: { users: [{ name: "ann", password: "geheim-42" }] } },
        }),
      ),
    isWhole: async (bench, n) =>
      await isThere(bench, `new-${n}`) && await bench.host.virsh("domstate", `new-${n}`) === "running",
    clear: (bench, n) => removeMachine(bench, `new-${n}`),
  },
  {
    name: "create_vm from an image",
    run: ({ server }, n) =>
      call(
        server,
        "create_vm",
        config(`copied-${n}`, {
          disks: [{ path: "images/base.qcow2", copyAs: "qcow2", pool: "images" }],
          autostart: true,
        }),
      ),
    isWhole: (bench, n) => isThere(bench, `copied-${n}`),
    clear: (bench, n) => removeMachine(bench, `copied-${n}`),
  },
  {
    name: "clone_vm",
    vm: () => "origin",
    run: ({ server }, n, vmId) => call(server, "clone_vm", { vmId, name: `clone-${n}` }),
    isWhole: (bench, n) => isThere(bench, `clone-${n}`),
    clear: (bench, n) => removeMachine(bench, `clone-${n}`),
  },
  {
    name: "delete_vm with its disks",
    prepare: ({ server }, n) =>
      call(
        server,
        "create_vm",
        config(`doomed-${n}`, { disks: [{ sizeGb: 1, pool: "images" }, { sizeGb: 1, pool: "images" }] }),
      ),
    vm: (n) => `doomed-${n}`,
    run: ({ server }, _n, vmId) => call(server, "delete_vm", { vmId, deleteDisks: true }),
    isWhole: async (bench, n) => !await isThere(bench, `doomed-${n}`),
    clear: () => Promise.resolve(),
  },
  {
    name: "clone_volume",
    run: ({ server }, n) =>
      call(server, "clone_volume", { pool: "images", volume: "base.qcow2", name: `copy-${n}.qcow2` }),
    isWhole: (bench, n) => isCopy(bench, `copy-${n}.qcow2`, "qcow2"),
    clear: ({ server }, n) => call(server, "delete_volume", { pool: "images", volume: `copy-${n}.qcow2` }),
    files: (n) => [`copy-${n}.qcow2`],
  },
  {
    name: "convert_volume",
    run: ({ server }, n) =>
      call(server, "convert_volume", {
        pool: "images",
        volume: "base.qcow2",
        name: `converted-${n}.raw`,
        format: "raw",
      }),
    isWhole: (bench, n) => isCopy(bench, `converted-${n}.raw`, "raw"),
    clear: ({ server }, n) => call(server, "delete_volume", { pool: "images", volume: `converted-${n}.raw` }),
    files: (n) => [`converted-${n}.raw`],
  },
  {
    name: "create_network, started with the host",
    run: ({ server }, n) => call(server, "create_network", { name: `net-${n}`, mode: "isolated" }),
    isWhole: (bench, n) => isActiveNetwork(bench, `net-${n}`),
    clear: ({ server }, n) => call(server, "delete_network", { name: `net-${n}` }),
  },
  {
    name: "update_vm",
    vm: () => "origin",
    run: ({ server }, n, vmId) =>
      call(server, "update_vm", {
        vmId,
        description: `round ${n}`,
        autostart: n % 2 === 0,
        tags: [`round-${n}`],
      }),
    isWhole: async (bench, n) => {
      const { description, autostart, tags } = await call(bench.server, "get_vm", {
        vmId: await bench.id("origin"),
      });
      const parts = [description === `round ${n}`, autostart === (n % 2 === 0), tags[0] === `round-${n}`];
      // What it was before may be the same by chance.
      assert.ok(
        parts[0] === parts[2],
        `half of it was done: ${JSON.stringify({ description, autostart, tags })}`,
      );
      return parts.every((done) => done);
    },
    clear: () => Promise.resolve(),
  },
  {
    name: "download_image",
    run: async ({ server, mirror }, n) => {
      const url = `${mirror.url}/image.img`;
      const { jobId } = await call(server, "download_image", { url, pool: "images", name: `web-${n}.img` });
      await done(server, jobId);
    },
    isWhole: async ({ pool, mirror }, n) => {
      if (!await exists(`${pool}/web-${n}.img`)) return false;
      const { body } = mirror.files.get("/image.img")!;
      const found = await Deno.readFile(`${pool}/web-${n}.img`);
      assert.ok(Buffer.compare(found, body!) === 0, "it is not what was served");
      return true;
    },
    clear: ({ server }, n) => call(server, "delete_volume", { pool: "images", volume: `web-${n}.img` }),
    files: (n) => [`web-${n}.img`],
  },
  {
    name: "import_vm",
    run: (bench, n) =>
      call(bench.server, "import_vm", {
        xml: domainXml({
          name: `imported-${n}`,
          uuid: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
          memoryMiB: 64,
          vcpus: 1,
          machine: "q35",
          agent: false,
          serial: { kind: "pty", log: `${bench.dataDir}/serial.log` },
          disks: [],
        }).toString(),
      }),
    isWhole: (bench, n) => isThere(bench, `imported-${n}`),
    clear: (bench, n) => removeMachine(bench, `imported-${n}`),
  },
  {
    name: "rename_vm",
    prepare: ({ server }, n) => call(server, "create_vm", config(`before-${n}`)),
    vm: (n) => `before-${n}`,
    run: ({ server }, n, vmId) => call(server, "rename_vm", { vmId, name: `after-${n}` }),
    isWhole: async (bench, n) => {
      const isDone = await isThere(bench, `after-${n}`);
      assert.equal(await isThere(bench, `before-${n}`), !isDone, "it has not one of the two names");
      return isDone;
    },
    clear: (bench, n) => removeMachine(bench, `after-${n}`),
  },
  {
    name: "attach_disk, of a new volume",
    vm: () => "origin",
    run: ({ server }, n, vmId) =>
      call(server, "attach_disk", { vmId, create: { pool: "images", sizeGb: 1, name: `added-${n}.qcow2` } }),
    isWhole: (bench, n) => hasDisk(bench, `added-${n}.qcow2`),
    clear: async (bench, n) => await detach(bench, await bench.id("origin"), `added-${n}.qcow2`),
  },
  {
    name: "detach_disk with its volume",
    prepare: async ({ server, ...bench }, n) => {
      const vmId = (await bench.host.virsh("domuuid", "origin")).trim();
      const create = { pool: "images", sizeGb: 1, name: `going-${n}.qcow2` };
      await call(server, "attach_disk", { vmId, create });
    },
    vm: () => "origin",
    run: (bench, n, vmId) => detach(bench, vmId, `going-${n}.qcow2`),
    isWhole: async (bench, n) => !await hasDisk(bench, `going-${n}.qcow2`),
    clear: () => Promise.resolve(),
  },
  {
    name: "insert_media, in a VM that runs",
    prepare: async (bench, n) => {
      const { server, pool } = bench;
      await Deno.writeFile(`${pool}/disc-${n}.iso`, new Uint8Array(65_536));
      await call(server, "refresh_storage_pool", { pool: "images" });
      const vmId = await makeMachine(bench, config(`media-${n}`));
      await call(server, "attach_disk", { vmId, device: "cdrom", target: "sdb" });
      await call(server, "start_vm", { vmId });
    },
    vm: (n) => `media-${n}`,
    run: ({ server }, n, vmId) =>
      call(server, "insert_media", { vmId, target: "sdb", path: `images/disc-${n}.iso`, anyMedium: true }),
    isWhole: async ({ host }, n) => {
      const has = async (...which: string[]) =>
        (await host.virsh("domblklist", `media-${n}`, ...which)).includes(`disc-${n}.iso`);
      const [live, next] = [await has(), await has("--inactive")];
      assert.equal(live, next, "one of its configurations has the medium, and the other has not");
      return live;
    },
    clear: async (bench, n) => {
      await removeMachine(bench, `media-${n}`);
      await Deno.remove(`${bench.pool}/disc-${n}.iso`);
      await call(bench.server, "refresh_storage_pool", { pool: "images" });
    },
    filesBefore: (n) => [`disc-${n}.iso`],
  },
  {
    name: "set_cloud_init",
    prepare: ({ server }, n) => call(server, "create_vm", seeded(`set-${n}`, "before")),
    vm: (n) => `set-${n}`,
    run: ({ server }, _n, vmId) => call(server, "set_cloud_init", { vmId, cloudInit: named("after") }),
    isWhole: async (bench, n) => {
      const vmId = await bench.id(`set-${n}`);
      const { cloudInit } = await call(bench.server, "get_cloud_init", { vmId });
      return cloudInit?.form?.hostname === "after";
    },
    clear: (bench, n) => removeMachine(bench, `set-${n}`),
  },
  {
    name: "remove_cloud_init",
    prepare: ({ server }, n) => call(server, "create_vm", seeded(`unset-${n}`, "before")),
    vm: (n) => `unset-${n}`,
    run: ({ server }, _n, vmId) => call(server, "remove_cloud_init", { vmId }),
    isWhole: async (bench, n) => {
      const vmId = await bench.id(`unset-${n}`);
      return (await call(bench.server, "get_cloud_init", { vmId })).cloudInit === null;
    },
    clear: (bench, n) => removeMachine(bench, `unset-${n}`),
  },
  {
    name: "create_volume, encrypted",
    run: ({ server }, n) =>
      call(server, "create_volume", {
        pool: "images",
        name: `locked-${n}.img`,
        capacityBytes: 64 * 1024 ** 2,
        encryption: { passphrase: "geheim-42-geheim" },
      }),
    isWhole: async ({ pool, host }, n) => {
      const isMade = await exists(`${pool}/locked-${n}.img`);
      const secrets = await host.virsh("secret-list");
      assert.equal(
        secrets.includes(`locked-${n}.img`),
        isMade,
        "the volume or its passphrase is there alone",
      );
      return isMade;
    },
    clear: async ({ server, host }, n) => {
      await call(server, "delete_volume", { pool: "images", volume: `locked-${n}.img` });
      assert.equal((await host.virsh("secret-list")).includes(`locked-${n}.img`), false);
    },
    files: (n) => [`locked-${n}.img`],
  },
  {
    name: "upload_volume",
    run: ({ server }, n) => upload(server, `sent-${n}.img`),
    isWhole: async ({ pool }, n) => {
      if (!await exists(`${pool}/sent-${n}.img`)) return false;
      const found = await Deno.readFile(`${pool}/sent-${n}.img`);
      assert.ok(Buffer.compare(found, SENT) === 0, "it is not what was sent");
      return true;
    },
    clear: ({ server }, n) => call(server, "delete_volume", { pool: "images", volume: `sent-${n}.img` }),
    files: (n) => [`sent-${n}.img`],
  },
  {
    name: "create_storage_pool",
    run: (bench, n) => makePool(bench, `pool-${n}`),
    isWhole: (bench, n) => hasPool(bench, `pool-${n}`),
    clear: ({ server }, n) => call(server, "delete_storage_pool", { pool: `pool-${n}`, deleteContent: true }),
  },
  {
    name: "delete_storage_pool with what is in it",
    prepare: async (bench, n) => {
      const pool = `doomed-${n}`;
      await makePool(bench, pool);
      for (const name of FILLED) {
        await call(bench.server, "create_volume", { pool, name, capacityBytes: 2 ** 20 });
      }
    },
    run: ({ server }, n) => call(server, "delete_storage_pool", { pool: `doomed-${n}`, deleteContent: true }),
    isWhole: async (bench, n) => {
      if (!await hasPool(bench, `doomed-${n}`)) return true;
      const left = await Array.fromAsync(Deno.readDir(`${bench.folder}/doomed-${n}`));
      assert.equal(left.length, FILLED.length, "a part of what was in it is gone");
      return false;
    },
    clear: () => Promise.resolve(),
  },
  {
    name: "update_network",
    prepare: ({ server }, n) =>
      call(server, "create_network", {
        name: `dns-${n}`,
        mode: "isolated",
        ipv4: { address: "10.97.0.1/24" },
        start: true,
        autostart: false,
      }),
    run: ({ server }, n) =>
      call(server, "update_network", {
        name: `dns-${n}`,
        domain: "after.test",
        dnsHosts: [{ ip: "10.97.0.9", hostnames: ["nine"] }],
      }),
    isWhole: async ({ host }, n) => {
      const all = await Promise.all([
        host.virsh("net-dumpxml", "--inactive", `dns-${n}`),
        host.virsh("net-dumpxml", `dns-${n}`),
      ]);
      const [domain, dns, dnsNow] = [
        /after\.test/.test(all[0]),
        /10\.97\.0\.9/.test(all[0]),
        /10\.97\.0\.9/.test(all[1]),
      ];
      assert.ok(
        domain === dns && dns === dnsNow,
        `half of it was done: ${JSON.stringify({ domain, dns, dnsNow })}`,
      );
      return domain;
    },
    clear: ({ server }, n) => call(server, "delete_network", { name: `dns-${n}` }),
  },
  {
    name: "delete_network",
    prepare: ({ server }, n) => call(server, "create_network", { name: `gone-${n}`, mode: "isolated" }),
    run: ({ server }, n) => call(server, "delete_network", { name: `gone-${n}` }),
    isWhole: async (bench, n) => !await isActiveNetwork(bench, `gone-${n}`),
    clear: () => Promise.resolve(),
  },
  {
    name: "delete_volume, into the bin",
    prepare: (bench, n) => volumeForBin(bench, `kept-${n}.qcow2`),
    run: ({ server }, n) => call(server, "delete_volume", { pool: "images", volume: `kept-${n}.qcow2` }),
    isWhole: async (bench, n) => await binnedVolume(bench, `kept-${n}.qcow2`) !== undefined,
    clear: async (bench, n) => {
      const { server } = bench;
      await call(server, "delete_bin_entry", {
        entryId: await binnedVolume(bench, `kept-${n}.qcow2`) ?? assert.fail("it is not in the bin"),
      });
      await call(server, "update_bin_policy", { days: 0 });
    },
    files: () => [BIN_FOLDER],
    filesBefore: (n) => [`kept-${n}.qcow2`],
  },
  {
    name: "restore_bin_entry of a volume",
    prepare: async (bench, n) => {
      await volumeForBin(bench, `back-${n}.qcow2`);
      await call(bench.server, "delete_volume", { pool: "images", volume: `back-${n}.qcow2` });
    },
    run: async (bench, n) =>
      await call(bench.server, "restore_bin_entry", {
        entryId: await binnedVolume(bench, `back-${n}.qcow2`) ?? assert.fail("it is not in the bin"),
      }),
    isWhole: async (bench, n) => await binnedVolume(bench, `back-${n}.qcow2`) === undefined,
    clear: async ({ server }, n) => {
      await call(server, "update_bin_policy", { days: 0 });
      await call(server, "delete_volume", { pool: "images", volume: `back-${n}.qcow2` });
    },
    files: (n) => [`back-${n}.qcow2`],
    filesBefore: () => [BIN_FOLDER],
  },
];
