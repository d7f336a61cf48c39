/** Objects that are kept for a VM, one entry each: how it gets there, and how to see whether a VM has it. */
import type { Grant, Input } from "../../../lib/contract/mod.ts";
import { runOf } from "../backups.ts";
import { virsh } from "../libvirt.ts";
import { personWith } from "../people.ts";
import { exists, run } from "../process.ts";
import { call, shows } from "../product.ts";
import { CallError } from "../server.ts";
import { keepInTpm, keptInTpm, permallOf } from "../tpm.ts";
import { until } from "../wait.ts";
import { type Boot, type Subject, whileItRuns, type World } from "./world.ts";

/** Result of a look: the VM has the object, has none, or an object is left that belongs to no VM. */
export type Seen = "has it" | "has none" | "left over";

/** One thing that is kept. */
interface Noun {
  /** The firmware it needs; any when left out. */
  readonly boot?: Boot;
  /** It forbids what is to happen to the others: it gets a VM that has nothing else. */
  readonly apart?: true;
  /** Pattern of the text that reports the loss. */
  readonly told?: (world: World) => RegExp;
  /** It needs that the VM has run: what is done meanwhile. Then it is put. */
  readonly running?: (world: World) => Promise<unknown>;
  put(world: World): Promise<void>;
  look(world: World, of: Subject): Promise<Seen>;
}

const seen = (has: boolean): Seen => has ? "has it" : "has none";
type Targets = NonNullable<Input<"create_schedule">["targets"]>;
const NEVER = { frequency: "daily", time: "03:30", timeZone: "UTC" } as const;
/** Mark written into firmware variables. */
const MARK = 0x5a;
const WORD = "pairs123";

const tagOf = ({ mark }: World) => `tag-${mark}`;
const groupOf = ({ mark }: World) => `group-${mark}`;

/** A user with this right; seen by whether they can see a VM. */
function grant(name: string, on: (world: World) => Grant["on"]): Noun {
  const people = new WeakMap<World, Awaited<ReturnType<typeof personWith>>>();
  return {
    put: async (world) => {
      people.set(
        world,
        await personWith(world.server, `${name}-${world.mark}`, [{ role: "viewer", on: on(world) }]),
      );
    },
    look: async (world, { id: vmId }) => {
      try {
        await people.get(world)!.call("get_vm", { vmId });
        return "has it";
      } catch (error) {
        if (error instanceof CallError && [403, 404].includes(error.status)) return "has none";
        throw error;
      }
    },
  };
}

/** A schedule that means the VM; seen by what its run acts on. */
function schedule(name: string, targets: (world: World) => Targets): Noun {
  return {
    put: async (world) => {
      const { id } = await call(world.server, "create_schedule", {
        name: `${name}-${world.mark}`,
        action: "stop",
        targets: targets(world),
        ...NEVER,
      });
      world.ids.set(name, id);
    },
    look: async ({ server, ids }, { id: vmId }) => {
      const scheduleId = ids.get(name)!;
      const { id } = await call(server, "run_schedule_now", { scheduleId });
      const ended = await until("the schedule's run", async () => {
        const found = (await call(server, "get_schedule_history", { scheduleId })).find((each) =>
          each.id === id
        );
        return found !== undefined && found.state !== "running" ? found : null;
      });
      return seen(ended.results.some((each) => each.vmId === vmId && each.outcome === "unchanged"));
    },
  };
}

/** A VM's own field that is set by a command and seen in its answer. */
function field(
  set: (world: World, vmId: string) => Promise<unknown>,
  has: (world: World, of: Subject) => Promise<boolean>,
): Noun {
  return {
    put: (world) => set(world, world.vm.id).then(() => {}),
    look: async (w, of) => seen(await has(w, of)),
  };
}

const vmOf = ({ server }: World, { id: vmId }: Subject) => call(server, "get_vm", { vmId });
const devicesOf = ({ server }: World, { id: vmId }: Subject) => call(server, "get_vm_devices", { vmId });
const storedXml = ({ name }: Subject) => virsh("dumpxml", name, "--inactive", "--security-info");
const sourceOf = async (of: Subject, target: string) =>
  (await virsh("domblklist", of.name, "--inactive")).split("\n").map((line) => line.trim().split(/\s+/))
    .find(([name]) => name === target)?.[1];
/** libvirt names no path where it has chosen it by the VM's name. */
const nvramOf = async (of: Subject) =>
  /<nvram[^>]*>([^<]+)<\/nvram>/.exec(await storedXml(of))?.[1] ??
    `/var/lib/libvirt/qemu/nvram/${of.name}_VARS.fd`;

/** A backup job that runs by hand. */
async function backupOf(world: World, name: string, targets: Input<"create_backup">["targets"]) {
  const { server, folder, mark } = world;
  const { id } = await call(server, "create_backup", {
    name: `${name}-${mark}`,
    folder,
    targets,
    frequency: "by-hand",
  });
  return id;
}

/** Bitmaps in a qcow2 image. */
async function bitmapsIn(path: string | undefined): Promise<number> {
  if (path === undefined) return 0;
  const info = JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", path])) as {
    "format-specific"?: { data?: { bitmaps?: unknown[] } };
  };
  return info["format-specific"]?.data?.bitmaps?.length ?? 0;
}

export const NOUNS = {
  tags: {
    ...field(
      (world, vmId) => call(world.server, "set_tags", { vmId, tags: [tagOf(world)] }),
      async (world, of) => (await vmOf(world, of)).tags.includes(tagOf(world)),
    ),
    told: (world) => new RegExp(tagOf(world)),
  },
  group: {
    ...field(
      (world, vmId) => call(world.server, "set_group", { vmId, group: groupOf(world) }),
      async (world, of) => (await vmOf(world, of)).group === groupOf(world),
    ),
    told: (world) => new RegExp(groupOf(world)),
  },
  title: field(
    ({ server }, vmId) => call(server, "update_vm", { vmId, title: "Pairs" }),
    async (world, of) => (await vmOf(world, of)).title === "Pairs",
  ),
  autostart: field(
    ({ server }, vmId) => call(server, "set_autostart", { vmId, autostart: true }),
    async (world, of) => (await vmOf(world, of)).autostart,
  ),
  "grant on the VM": grant("grant-vm", ({ vm }) => ({ kind: "vm", vmId: vm.id })),
  "grant on its group": grant("grant-group", (world) => ({ kind: "group", group: groupOf(world) })),
  "schedule of the VM": schedule("schedule-vm", ({ vm }) => ({ vmIds: [vm.id] })),
  "schedule of its tag": {
    ...schedule("schedule-tag", (world) => ({ tags: [tagOf(world)] })),
    told: (world) => new RegExp(tagOf(world)),
  },
  "backup of its tag": {
    told: (world) => new RegExp(tagOf(world)),
    put: async (world) => {
      const id = await backupOf(world, "tag", { tags: [tagOf(world)] });
      world.ids.set("backup", id);
      await runOf(world.server, id);
    },
    look: async ({ server, ids }, { id: vmId }) => {
      const done = await runOf(server, ids.get("backup")!);
      return seen(done.copies.some((copy) => copy.vmId === vmId && copy.state === "done"));
    },
  },
  "copies in a backup": field(
    async () => {},
    async ({ server, before }, { id: vmId }) => {
      const { backupId } = before;
      return (await call(server, "list_backup_runs", { backupId })).some(({ copies }) =>
        copies.some((copy) => copy.vmId === vmId && copy.state === "done")
      );
    },
  ),
  "checkpoint of a backup": {
    // libvirt has no checkpoint where a snapshot is, which the VM with BIOS gets.
    boot: "uefi",
    running: async (world) =>
      runOf(world.server, await backupOf(world, "checkpoint", { vmIds: [world.vm.id] })),
    put: async () => {},
    look: async (_, of) => {
      const records = (await virsh("checkpoint-list", of.name, "--name")).trim();
      const bitmaps = await bitmapsIn(await sourceOf(of, "vda"));
      if (records === "" && bitmaps > 0) return "left over";
      return seen(records !== "" && bitmaps > 0);
    },
  },
  alert: field(
    async (world, vmId) => {
      const { id } = await call(world.server, "create_alert", {
        name: `alert-${world.mark}`,
        watches: "vm_metric",
        series: "cpu_usage",
        threshold: 90,
        scope: "vm",
        vmId,
      });
      world.ids.set("alert", id);
    },
    async ({ server, ids }, of) =>
      (await call(server, "list_alerts")).some(({ id, vmId, enabled }) =>
        enabled && id === ids.get("alert") && vmId === of.id
      ),
  ),
  "port forward": field(
    async ({ server, network, mark, place }, vmId) => {
      await call(server, "add_port_forward", {
        network: network.name,
        protocol: "tcp",
        vmId,
        targetPort: 22,
        hostPort: 20_000 + parseInt(mark, 16) % 30 * 256 + place,
      });
    },
    async ({ server }, { id: vmId }) =>
      (await call(server, "list_port_forwards", { vmId })).some(({ enabled }) => enabled),
  ),
  "reserved address": field(
    ({ server, network, mac, place }) =>
      call(server, "update_network_dhcp", {
        name: network.name,
        add: [{ ip: `${network.subnet}.${place}`, mac }],
      }),
    async (world, of) => {
      const { subnets } = await call(world.server, "get_network", { name: world.network.name });
      const reserved = subnets.flatMap(({ hosts }) => hosts.map(({ mac }) => mac));
      return (await vmOf(world, of)).networkInterfaces.some(({ mac }) => reserved.includes(mac));
    },
  ),
  snapshot: {
    boot: "bios",
    put: ({ server, vm }) => call(server, "create_snapshot", { vmId: vm.id, name: "pairs" }).then(() => {}),
    look: async ({ server }, { id: vmId }) =>
      seen((await call(server, "list_snapshots", { vmId })).snapshots.some(({ name }) => name === "pairs")),
  },
  template: field(
    async ({ server, vm, pool, mark, ids }) => {
      const { id } = await call(server, "create_template", {
        name: `template-${mark}`,
        vmId: vm.id,
        pool: pool.name,
        seal: [],
      });
      ids.set("template", id);
    },
    async ({ server, ids }) => {
      const { versions } = await call(server, "get_template", { templateId: ids.get("template")! });
      return await exists(versions[0]!.disks[0]!.path);
    },
  ),
  "cloud-init seed": field(
    ({ server }, vmId) =>
      call(server, "set_cloud_init", { vmId, cloudInit: { form: { hostname: "pairs" } } }),
    async ({ server }, { id: vmId }) =>
      (await call(server, "get_cloud_init", { vmId })).cloudInit?.form?.hostname === "pairs",
  ),
  "disk limit": field(
    ({ server }, vmId) => call(server, "update_disk", { vmId, target: "vda", totalIopsSec: 500 }),
    async (world, of) =>
      (await devicesOf(world, of)).disks.find(({ target }) => target === "vda")?.totalIopsSec === 500,
  ),
  "network filter": field(
    ({ server, mac }, vmId) => call(server, "update_nic", { vmId, mac, filter: "clean-traffic" }),
    async (_, of) => /<filterref filter='clean-traffic'/.test(await storedXml(of)),
  ),
  "shared folder": {
    ...field(
      async ({ server, share }, vmId) => {
        await call(server, "attach_share", { vmId, folder: share, tag: "pairs" });
      },
      async (_, of) => /<target dir='pairs'\/>/.test(await storedXml(of)),
    ),
    told: () => /shared folder pairs is not in the copy/,
  },
  "saved memory": {
    apart: true,
    told: () => /saved memory/i,
    put: async ({ server, vm }) => {
      await call(server, "start_vm", { vmId: vm.id });
      await call(server, "suspend_vm", { vmId: vm.id });
      await shows(server, vm.id, ({ state }) => state === "suspended");
    },
    look: async (_, { name }) => seen(/^Managed save:\s+yes/m.test(await virsh("dominfo", name))),
  },
  "UEFI variables": {
    boot: "uefi",
    running: async () => {},
    put: async (world) => {
      const path = await nvramOf(world.vm);
      const variables = await Deno.readFile(path);
      variables[variables.length - 1] = MARK;
      await Deno.writeFile(path, variables);
    },
    look: async (_, of) => {
      const path = await nvramOf(of);
      if (!await exists(path)) return "has none";
      return seen((await Deno.readFile(path)).at(-1) === MARK);
    },
  },
  "state of the TPM": {
    boot: "uefi",
    running: async () => {},
    put: (world) => keepInTpm(world.vm.id, WORD, true),
    look: async (_, of) => {
      if (!await exists(permallOf(of.id))) return "has none";
      return seen(await keptInTpm(permallOf(of.id)) === WORD);
    },
  },
  "passphrase of a disk": {
    apart: true,
    put: async ({ server, pool, vm, mark }) => {
      await call(server, "create_volume", {
        pool: pool.name,
        name: `secret-${mark}.img`,
        capacityBytes: 2 ** 23,
        format: "raw",
        encryption: { passphrase: "correct horse" },
      });
      await call(server, "attach_disk", { vmId: vm.id, path: `${pool.path}/secret-${mark}.img` });
    },
    look: async ({ pool, mark }, of) => {
      const isKept = (await virsh("secret-list")).includes(`${pool.path}/secret-${mark}.img`);
      return seen(isKept && /<encryption format='luks'/.test(await storedXml(of)));
    },
  },
  "linked clone": {
    apart: true,
    put: async ({ server, vm, third, ids }) => {
      ids.set(
        "linked",
        (await call(server, "clone_vm", { vmId: vm.id, name: third.name, linked: true })).vmId,
      );
    },
    look: async ({ third }, of) => {
      const overlay = (await sourceOf({ id: "", name: third.name }, "vda"))!;
      const base = (await run(["qemu-img", "info", "-U", overlay])).match(/^backing file: (\S+)/m)?.[1];
      if (base === undefined || !await exists(base)) return "left over";
      return seen(base === await sourceOf(of, "vda"));
    },
  },
} as const satisfies Record<string, Noun>;

export type NounName = keyof typeof NOUNS;
export const nounOf = (name: NounName): Noun => NOUNS[name];

/** Puts all of these. What needs that the VM has run shares one run of it. */
export async function putAll(world: World, names: readonly NounName[]): Promise<void> {
  const running = names.flatMap((name) => nounOf(name).running ?? []);
  let hasRun = false;
  for (const name of names) {
    if (nounOf(name).running !== undefined && !hasRun) {
      hasRun = true;
      await whileItRuns(world, async () => {
        for (const act of running) await act(world);
      });
    }
    await nounOf(name).put(world);
  }
}
