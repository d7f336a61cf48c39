/**
 * Hangs of a host as scenarios that can run at the same time on one private libvirtd: QEMUs that are stopped, with all
 * possible work under way; storage, servers and helpers that no longer answer. None of them may hold up other work.
 */
import assert from "node:assert/strict";
import { writeAll } from "../../lib/write_all.ts";
import { call, knownPool, shows } from "./product.ts";
import { buildAgentGuest } from "./agent_guest.ts";
import { endOf } from "./backups.ts";
import { LyingAgent, plainAnswer } from "./lying_agent.ts";
import { nfsServer } from "./nfs_server.ts";
import { freeze, processState, thaw } from "./pid.ts";
import type { PrivateLibvirt, PrivateMachine, PrivateMachineOptions } from "./private_libvirt.ts";
import { exists, ProcessError, run } from "./process.ts";
import { SerialClient } from "./serial.ts";
import { type PrivateServer, privateServer } from "./private_server.ts";
import type { TestServer } from "./server.ts";
import type { Need } from "./skip.ts";
import type { SlowStorage } from "./slow_storage.ts";
import { delay, until } from "./wait.ts";
import { type Markup, markup } from "./xml.ts";

/** Host and servers that a scenario is arranged on. All of it is gone once `undo` is disposed of. */
export interface HangGround {
  readonly host: PrivateLibvirt;
  readonly product: PrivateServer;
  /** Storage of the scenario's own, which can hang. */
  readonly slow: SlowStorage;
  /** A folder of its own on storage that takes a few MiB in a second: what is copied there takes a while. */
  readonly creeping: string;
  /** A folder of its own on good storage. */
  readonly folder: string;
  readonly undo: AsyncDisposableStack;
}

/** Call that is made while it hangs. */
export interface AskedMeanwhile {
  /** Milliseconds in which it is answered or refused. */
  readonly ms: number;
  readonly ask: () => Promise<unknown>;
  /** Whether a refusal is an answer as well; not when left out. */
  readonly refused?: true;
}

/** A scenario that is ready to hang. */
export interface ArrangedHang {
  /** Disposing of what is given lets it go on. */
  readonly hang: () => Promise<AsyncDisposable>;
  /** VMs that are shown as not responding soon after. */
  readonly silent: readonly string[];
  /** A VM that hangs, and is killed meanwhile. */
  readonly killed?: string;
  /** VMs whose agents answer before the hang and after it. */
  readonly agents?: readonly string[];
  /** VMs, and the calls of libvirt's API that are made for them once at most while it hangs. */
  readonly once: Readonly<Record<string, RegExp>>;
  readonly meanwhile?: Readonly<Record<string, AskedMeanwhile>>;
  /** Further checks afterwards. @throws the first failure */
  readonly afterwards?: () => Promise<void>;
  /** Servers in addition to the first one, which show the same. */
  readonly others?: readonly PrivateServer[];
}

/** One scenario. */
export interface HangScenario {
  readonly name: string;
  readonly needs: readonly Need[];
  arrange(ground: HangGround): Promise<ArrangedHang>;
}

/** Calls that ask something of QEMU, of an agent or of a file: other calls take a lock and give it back. */
const ASKS =
  /^virDomain(?!.*(?:Free|Ref$|GetID|GetState|GetInfo$|GetXMLDesc|Lookup|Is[A-Z]|GetName|GetUUID|GetConnect|GetAutostart|HasManagedSave))/;
const OPENS = /OpenChannel/;
const AGENT_ASKS = /AgentCommand|GetGuestInfo|FSFreeze|FSThaw|InterfaceAddresses|SetTime|GetFSInfo/;
const FILE_ASKS = /GetBlockInfo/;

const SMALL = { memoryMiB: 64, start: true } as const;

/** The QEMU of a machine. */
const qemuOf = async (machine: PrivateMachine): Promise<number> =>
  await machine.qemuPid() ?? assert.fail(`${machine.name} has no QEMU`);

/** Stops processes where they stand. */
async function stopped(pids: readonly number[]): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  for (const pid of pids) {
    undo.defer(() => thaw(pid));
    await freeze(pid);
  }
  return undo.move();
}

const stoppedQemus = (machines: readonly PrivateMachine[]) => async () =>
  await stopped(await Promise.all(machines.map(qemuOf)));

/** Every call that asks something of these machines. */
const askedOnce = (machines: readonly PrivateMachine[], calls = ASKS): Record<string, RegExp> =>
  Object.fromEntries(machines.map(({ uuid }) => [uuid, calls]));

/** Milliseconds in which what is asked about what hangs is refused. */
const REFUSED = 15_000;

/** Running guests with our own agent in them. */
async function agentMachines(host: PrivateLibvirt, count: number): Promise<PrivateMachine[]> {
  const guest = await buildAgentGuest();
  return await Promise.all(
    Array.from(
      { length: count },
      () => host.machine({ guest, ownAgent: true, memoryMiB: 128, start: true }),
    ),
  );
}

/** Somebody looks into a guest again and again: each look opened its line again, and the third or fourth never came back. */
const looksInto = (server: TestServer, vmId: string): Record<string, AskedMeanwhile> => ({
  [`four looks into the guest ${vmId.slice(0, 8)}`]: {
    ms: 2 * REFUSED,
    refused: true,
    ask: async () => {
      for (let looks = 0; looks < 4; looks++) {
        const said = await settled(call(server, "guest_get_info", { vmId }));
        if (looks === 3 && said instanceof Error) throw said;
      }
    },
  },
});

/** QEMUs that are stopped, some of them with a guest whose agent is connected, while others run. */
const qemusStopped = (name: string, guests: number, small: number, running = 0): HangScenario => ({
  name,
  needs: ["agentGuest"],
  arrange: async ({ host, product: { server } }) => {
    const agents = await agentMachines(host, guests);
    const others = await sequence(small, () => host.machine(SMALL));
    await sequence(running, () => host.machine(SMALL));
    const all = [...agents, ...others];
    return {
      hang: stoppedQemus(all),
      silent: all.map(({ uuid }) => uuid),
      agents: agents.map(({ uuid }) => uuid),
      once: askedOnce(all),
      meanwhile: looksInto(server, agents[0]!.uuid),
      ...(all.length > 1 ? { killed: all.at(-1)!.uuid } : {}),
    };
  },
});

const consoleOpen: HangScenario = {
  name: "a QEMU stopped while its serial console is open",
  needs: ["guest"],
  arrange: async ({ host, product: { server }, undo }) => {
    const vm = await host.machine({ guest: true, agent: false, serial: "pty", start: true, memoryMiB: 128 });
    await vm.waitForBoot();
    await shows(server, vm.uuid, ({ state }) => state === "running");
    const open = undo.use(await SerialClient.open(server, vm.uuid));
    await open.run("echo before-$((6*7))", "before-42");
    return {
      hang: stoppedQemus([vm]),
      silent: [vm.uuid],
      once: askedOnce([vm]),
      afterwards: async () => {
        await using again = await SerialClient.open(server, vm.uuid, true);
        await again.run("echo after-$((6*7))", "after-42");
      },
    };
  },
};

/** MiB of a disk that is copied to storage which takes a few in a second; of one that QEMU first copies into a file next to it, at once. */
const DISK_MIB = 48, SPOOLED_MIB = 160;

/** A disk that is full of what cannot be compressed. */
async function fullDisk(
  path: string,
  mib: number,
): Promise<{ path: string; format: "qcow2"; bus: "virtio" }> {
  const raw = `${path}.raw`, block = new Uint8Array(1 << 16);
  using file = await Deno.open(raw, { createNew: true, write: true });
  for (let at = 0; at < mib << 20; at += block.length) {
    await writeAll(file, crypto.getRandomValues(block));
  }
  await run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path]);
  await Deno.remove(raw);
  return { path, format: "qcow2", bus: "virtio" };
}

/** A job of the product's on a running machine with a full disk. @param begin begins it; gives its end, good or bad */
const jobUnderWay = (
  what: string,
  diskOn: "folder" | "creeping",
  /** Pattern in virsh's output once QEMU is at work, and virsh's arguments. */
  atIt: (name: string) => readonly [RegExp, ...string[]],
  begin: (ground: HangGround, vm: PrivateMachine) => Promise<{ readonly end: Promise<unknown> }>,
  diskMib = DISK_MIB,
): HangScenario => ({
  name: `a QEMU stopped during ${what}`,
  needs: ["guest", "slowStorage"],
  arrange: async (ground) => {
    const { host, product: { server } } = ground;
    // With a guest in it there is memory to write
    const disks = [await fullDisk(`${ground[diskOn]}/disk.qcow2`, diskMib)];
    const vm = await host.machine({ disks, guest: true, agent: false, memoryMiB: 96, start: true });
    await vm.waitForBoot();
    await shows(server, vm.uuid, ({ state }) => state === "running");
    let job: { readonly end: Promise<unknown> } | undefined;
    return {
      hang: async () => {
        job = await begin(ground, vm);
        const [expected, ...asked] = atIt(vm.name);
        let early: unknown;
        void job.end.then((end) => early = end);
        await until(`${what} to be under way`, async () => {
          assert.equal(early, undefined, `${what} has ended before QEMU could be stopped: ${early}`);
          return expected.test(await saidBy(host, asked));
        }, { seconds: 10, every: 20 });
        await delay(diskMib > DISK_MIB ? 0 : 500);
        return await stoppedQemus([vm])();
      },
      silent: [vm.uuid],
      once: askedOnce([vm]),
      // However it ends: with its VM back it must end, and say how.
      afterwards: async () => void await job?.end,
    };
  },
});

/** Output of virsh; empty if it fails. */
async function saidBy(host: PrivateLibvirt, asked: readonly string[]): Promise<string> {
  try {
    return await host.virsh(...asked);
  } catch (error) {
    if (error instanceof ProcessError) return "";
    throw error;
  }
}

const backup = jobUnderWay(
  "a backup",
  "folder",
  (name) => [/<domainbackup/, "backup-dumpxml", name],
  async ({ creeping, product: { server } }, vm) => {
    const input = { name: vm.name.slice(-40), folder: creeping, targets: { vmIds: [vm.uuid] } };
    const { id: backupId } = await call(server, "create_backup", input);
    const { id: runId } = await call(server, "run_backup_now", { backupId });
    return { end: settled(endOf(server, backupId, runId)) };
  },
  SPOOLED_MIB,
);

const snapshot = jobUnderWay(
  "a snapshot",
  "creeping",
  (name) => [/paused/, "domstate", name],
  ({ product: { server } }, vm) =>
    Promise.resolve({ end: settled(call(server, "create_snapshot", { vmId: vm.uuid, name: "before" })) }),
);

const blockCopy = jobUnderWay(
  "a block copy",
  "folder",
  (name) => [/<mirror /, "dumpxml", name],
  async (ground, vm) => {
    const { creeping, folder, host, product: { server } } = ground, pool = `${vm.name}-to`;
    for (const [name, path] of Object.entries({ [`${vm.name}-from`]: folder, [pool]: creeping })) {
      await host.virshBatch([`pool-define-as ${name} dir --target ${path}`, `pool-start ${name}`]);
    }
    for (const name of [pool, `${vm.name}-from`]) await knownPool(server, name);
    return { end: settled(call(server, "move_disk", { vmId: vm.uuid, target: "vda", pool })) };
  },
);

const cdrom = (path: string): Markup =>
  markup`<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='${path}'/><target dev='hdc' bus='ide'/><readonly/></disk>`;

/** An empty image for a drive. */
async function iso(path: string): Promise<string> {
  await Deno.writeFile(path, new Uint8Array(1 << 20));
  return path;
}

async function image(path: string, format: "qcow2" | "raw" = "qcow2") {
  await run(["qemu-img", "create", "-q", "-f", format, path, "1M"]);
  return { path, format, bus: "virtio" } as const;
}

/** Machines with something on storage that hangs; what is asked of libvirt for them meanwhile is about files. */
const onStorage = (
  name: string,
  options: (slow: string) => Promise<readonly PrivateMachineOptions[]>,
  meanwhile: (ground: HangGround, vm: PrivateMachine) => Record<string, AskedMeanwhile> = () => ({}),
  { isKilled = false } = {},
): HangScenario => ({
  name,
  needs: ["qemu", "slowStorage"],
  arrange: async (ground) => {
    const machines: PrivateMachine[] = [];
    for (const each of await options(ground.slow.path)) machines.push(await ground.host.machine(each));
    return {
      hang: () => ground.slow.hang(),
      silent: [],
      once: askedOnce(machines, FILE_ASKS),
      meanwhile: meanwhile(ground, machines[0]!),
      ...(isKilled && { killed: machines[0]!.uuid }),
      afterwards: async () => {
        for (const { uuid } of machines) {
          // With no page open they come with the metrics, twice a minute
          await shows(
            ground.product.server,
            uuid,
            ({ disks }) => disks.every(({ capacityBytes }) => capacityBytes !== undefined),
          );
        }
      },
    };
  },
});

const offImage = onStorage(
  "the image of a VM that is off, on storage that hangs",
  async (slow) => [{ disks: [await image(`${slow}/off.qcow2`)] }],
);
const offIso = onStorage(
  "a forgotten ISO of a VM that is off, on storage that hangs",
  async (slow) => [{ devices: cdrom(await iso(`${slow}/off.iso`)) }],
  ({ product: { server } }, { uuid: vmId }) => ({
    start_vm: { ms: REFUSED, refused: true, ask: () => call(server, "start_vm", { vmId }) },
  }),
);
const runningIso = onStorage(
  "an ISO of a VM that runs, on storage that hangs",
  async (slow) => [{ ...SMALL, devices: cdrom(await iso(`${slow}/running.iso`)) }],
);
const runningDisks = onStorage(
  "the disks of twelve VMs that run, on storage that hangs",
  (slow) =>
    sequence(12, async (index) => ({ ...SMALL, disks: [await image(`${slow}/${index}.raw`, "raw")] })),
);

const forcedOff = onStorage(
  "a VM that runs with its disk on storage that hangs, and is forced off",
  async (slow) => [{ ...SMALL, disks: [await image(`${slow}/forced.qcow2`)] }],
  undefined,
  { isKilled: true },
);

const pools: HangScenario = {
  name: "two pools and a backup target on storage that hangs",
  needs: ["qemu", "slowStorage"],
  arrange: async ({ host, product: { server }, slow, folder }) => {
    const tag = folder.split("/").at(-1)!, good = `${tag}-good`, bad = [`${tag}-a`, `${tag}-b`] as const;
    const places = { [good]: `${folder}/good`, [bad[0]]: `${slow.path}/a`, [bad[1]]: `${slow.path}/b` };
    for (const [pool, path] of Object.entries(places)) {
      await Deno.mkdir(path);
      await image(`${path}/volume.qcow2`);
      await host.virshBatch([`pool-define-as ${pool} dir --target ${path}`, `pool-start ${pool}`]);
    }
    await Deno.mkdir(`${slow.path}/backups`);
    const vm = await host.machine({ disks: [await image(`${folder}/kept.qcow2`)] });
    await until("the pools", async () => {
      const known = (await call(server, "get_storage_pools")).map(({ name }) => name);
      return Object.keys(places).every((pool) => known.includes(pool));
    });
    await shows(server, vm.uuid, () => true);
    const input = { name: tag, folder: `${slow.path}/backups`, targets: { vmIds: [vm.uuid] } };
    const { id: backupId } = await call(server, "create_backup", input);
    const volumes = (pool: string) => call(server, "get_volumes", { pool });
    const refresh = (pool: string) => call(server, "refresh_storage_pool", { pool });
    const badly = (ask: () => Promise<unknown>): AskedMeanwhile => ({ ms: REFUSED, refused: true, ask });
    return {
      hang: () => slow.hang(),
      silent: [],
      once: {},
      meanwhile: {
        "refresh_storage_pool of a pool that hangs": badly(() => refresh(bad[0])),
        "refresh_storage_pool of the other one": badly(() => refresh(bad[1])),
        "get_volumes of a pool that hangs": badly(() => volumes(bad[0])),
        "get_volumes of a good pool": { ms: 3000, ask: () => volumes(good) },
        "refresh_storage_pool of a good pool": { ms: 5000, ask: () => refresh(good) },
        "run_backup_now to storage that hangs": badly(() => call(server, "run_backup_now", { backupId })),
      },
      afterwards: async () => {
        for (const pool of Object.keys(places)) {
          await refresh(pool);
          assert.deepEqual(
            (await volumes(pool)).map(({ name }) => name).includes("volume.qcow2"),
            true,
            pool,
          );
        }
      },
    };
  },
};

const goneServer: HangScenario = {
  name: "the server of a VM's network disk (NBD) gone",
  needs: ["qemu"],
  arrange: async ({ host, folder, undo }) => {
    const { path } = await image(`${folder}/served.raw`, "raw"), socket = `${folder}/nbd`;
    const nbd = new Deno.Command("qemu-nbd", {
      args: ["--persistent", "--shared=0", "--format=raw", "--socket", socket, path],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    undo.defer(async () => {
      nbd.kill("SIGKILL");
      await nbd.status;
    });
    await until("qemu-nbd", () => Deno.stat(socket).then(() => true, () => false), { every: 50 });
    const vm = await host.machine({
      ...SMALL,
      devices:
        markup`<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='nbd'><host transport='unix' socket='${socket}'/></source><target dev='vdb' bus='virtio'/></disk>`,
    });
    return { hang: () => stopped([nbd.pid]), silent: [], once: askedOnce([vm], FILE_ASKS) };
  },
};

const nfs: HangScenario = {
  name: "the NFS server of four VMs' disks gone",
  needs: ["qemu", "nfsServer"],
  arrange: async ({ host, undo }) => {
    const server = undo.use(await nfsServer(host));
    const machines = await sequence(4, async (index) => {
      const { path } = await image(`${server.folder}/${index}.raw`, "raw");
      return await host.machine({
        ...SMALL,
        devices:
          markup`<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='nfs' name='${path}'><host name='127.0.0.1'/><identity user='+0' group='+0'/></source><target dev='vdb' bus='virtio'/></disk>`,
      });
    });
    return { hang: () => server.hang(), silent: [], once: askedOnce(machines, FILE_ASKS) };
  },
};

const swtpm: HangScenario = {
  name: "the TPM of a VM (swtpm) stopped",
  needs: ["tpm"],
  arrange: async ({ host, product: { server } }) => {
    const vm = await host.machine({
      ...SMALL,
      devices: markup`<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>`,
    });
    const pid = await host.swtpmOf(vm.uuid) ?? assert.fail("it has no swtpm");
    return {
      hang: () => stopped([pid]),
      silent: [],
      once: {},
      killed: vm.uuid,
      afterwards: async () => {
        await call(server, "start_vm", { vmId: vm.uuid });
        assert.equal(await processState(await qemuOf(vm)) === null, false);
      },
    };
  },
};

const syncOnly: HangScenario = {
  name: "a guest agent that answers sync alone",
  needs: ["guest"],
  arrange: async ({ host, folder, undo }) => {
    const agent = undo.use(await LyingAgent.listen(folder));
    agent.lie = plainAnswer;
    const vm = await host.machine({
      guest: true,
      agent: false,
      start: true,
      memoryMiB: 128,
      devices:
        markup`<channel type='unix'><source mode='connect' path='${agent.path}'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>`,
    });
    await vm.waitForBoot();
    return {
      hang: () => {
        agent.lie = () => undefined;
        return Promise.resolve({
          [Symbol.asyncDispose]: () => Promise.resolve(void (agent.lie = plainAnswer)),
        });
      },
      silent: [],
      once: askedOnce([vm], AGENT_ASKS),
    };
  },
};

/** Another program at the line of a guest's agent. @param connections how many it makes: two beyond the first fill the queue */
const lineTaken = (name: string, connections: number): HangScenario => ({
  name,
  needs: ["agentGuest"],
  arrange: async ({ host, product: { server }, folder }) => {
    const [vm] = await agentMachines(host, 1);
    const xml = await host.virsh("dumpxml", vm!.name);
    const path = /<source mode='bind' path='\/var\/lib\/libvirt\/([^']+)'/.exec(xml)?.[1] ?? assert.fail(xml);
    // A socket's address takes a hundred characters
    const short = `${folder}/line`;
    await Deno.symlink(host.stateFile(path), short);
    return {
      hang: async () => {
        await using undo = new AsyncDisposableStack();
        for (let count = 0; count < connections; count++) {
          // QEMU takes the first one in a moment, and then no more
          await delay(300);
          const line = await queued(short);
          if (line === null) break;
          undo.defer(() => line.close());
        }
        return undo.move();
      },
      silent: [],
      agents: [vm!.uuid],
      once: askedOnce([vm!], OPENS),
      meanwhile: looksInto(server, vm!.uuid),
    };
  },
});

/** A connection to a socket; null where as many wait as it lets wait. */
async function queued(path: string): Promise<Deno.UnixConn | null> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.WouldBlock) return null;
    if (error instanceof Error && error.message.includes("(os error 11)")) return null;
    throw error;
  }
}

const twoManagers: HangScenario = {
  name: "two managers on one host with a stopped QEMU",
  needs: ["agentGuest"],
  arrange: async ({ host, undo }) => {
    const other = undo.use(await privateServer(host, { guestInterval: 60 }));
    const [vm] = await agentMachines(host, 1);
    return {
      hang: stoppedQemus([vm!]),
      silent: [vm!.uuid],
      agents: [vm!.uuid],
      once: {}, // each asks once
      others: [other],
    };
  },
};

/**
 * Has iptables of a private libvirtd wait while a file is there. All its names are links to one program, which goes by the
 * name that it was called by.
 */
async function waitingIptables(host: PrivateLibvirt, folder: string, flag: string): Promise<void> {
  const [program, wrapper] = [`${folder}/xtables`, `${folder}/waiting-iptables`];
  await Deno.copyFile(await Deno.realPath("/usr/sbin/iptables"), program);
  const wait = `while [ -e '${flag}' ]; do touch '${flag}-seen'; sleep 0.2; done`;
  await Deno.writeTextFile(wrapper, `#!/bin/bash\n${wait}\nexec -a "$0" '${program}' "$@"\n`, {
    mode: 0o755,
  });
  await host.inside("mount", "--bind", wrapper, await Deno.realPath("/usr/sbin/iptables"));
}

const networkStart: HangScenario = {
  name: "the start of a network, which waits for iptables",
  needs: ["qemu"],
  arrange: async ({ host, product: { server }, folder }) => {
    const tag = folder.split("/").at(-1)!, flag = `${folder}/iptables-waits`;
    const define = async (name: string, bridge: string, subnet: string) => {
      const file = `${folder}/${name}.xml`;
      const xml =
        markup`<network><name>${name}</name><forward mode='nat'/><bridge name='${bridge}'/><ip address='${subnet}.1' prefix='24'/></network>`;
      await Deno.writeTextFile(file, String(xml));
      await host.virsh("net-define", file);
    };
    const [bad, good] = [`${tag}-bad`, `${tag}-good`];
    await define(bad, "virbr-hang", "10.77.1");
    await define(good, "virbr-good", "10.77.2");
    await waitingIptables(host, folder, flag);
    await host.virsh("net-start", good);
    const on = (name: string, last: string) =>
      host.machine({ network: { name, mac: `52:54:00:77:00:${last}` }, memoryMiB: 64 });
    const [waits, other, once] = [await on(bad, "01"), await on(good, "02"), await on(good, "03")];
    await until("the networks", async () => {
      const known = (await call(server, "get_networks")).map(({ name }) => name);
      return [bad, good].every((name) => known.includes(name));
    });
    for (const { uuid } of [waits, other, once]) await shows(server, uuid, () => true);
    let started: Promise<unknown> | undefined;
    return {
      hang: async () => {
        await Deno.writeTextFile(flag, "");
        started = settled(call(server, "start_network", { name: bad }));
        await until("iptables to wait", () => exists(`${flag}-seen`), { seconds: 10 });
        return { [Symbol.asyncDispose]: () => Deno.remove(flag) };
      },
      silent: [],
      once: {},
      meanwhile: {
        "get_networks": { ms: 3000, ask: () => call(server, "get_networks") },
        "get_network of the other one": { ms: 3000, ask: () => call(server, "get_network", { name: good }) },
        "start_vm on the network that waits": {
          ms: REFUSED,
          refused: true,
          ask: () => call(server, "start_vm", { vmId: waits.uuid }),
        },
        "start_vm on the other network": {
          // libvirt may pass the one that waits when it looks for this one: refused then, not tried
          ms: REFUSED,
          refused: true,
          ask: () => call(server, "start_vm", { vmId: other.uuid }),
        },
        "start_vm on the other network, from the network this once": {
          ms: REFUSED,
          refused: true,
          ask: () => call(server, "start_vm", { vmId: once.uuid, bootFrom: "network" }),
        },
      },
      afterwards: async () => {
        await started;
        await until(
          "the network to run",
          async () => (await call(server, "get_networks")).some(({ name, active }) => name === bad && active),
          { seconds: 30 },
        );
        await call(server, "start_vm", { vmId: waits.uuid });
      },
    };
  },
};

/** All of them, by a short name. A resolver that is dead is a test of its own. */
export const HANGS = {
  one: qemusStopped("one QEMU stopped, its agent connected", 1, 0),
  three: qemusStopped("three QEMUs stopped, their agents connected", 3, 0),
  twelve: qemusStopped("twelve QEMUs stopped, the agents of two connected", 2, 10),
  // By hand: a hundred QEMUs take long to start
  hundred: qemusStopped("thirty QEMUs of a hundred stopped, the agents of two connected", 2, 28, 70),
  console: consoleOpen,
  backup,
  snapshot,
  copy: blockCopy,
  offImage,
  offIso,
  runningIso,
  runningDisks,
  forcedOff,
  pools,
  goneServer,
  nfs,
  swtpm,
  syncOnly,
  lineHeld: lineTaken("another program that holds an agent's line", 1),
  lineFull: lineTaken("other programs that hold an agent's line, and wait for it", 6),
  twoManagers,
  networkStart,
} satisfies Record<string, HangScenario>;

/** The name of a scenario. */
export type HangName = keyof typeof HANGS;

/** One after the other. */
async function sequence<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) made.push(await make(made.length));
  return made;
}

/** Outcome of a call, never undefined: an answer (its text) or an error are both an end. */
const settled = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then((answer) => JSON.stringify(answer) ?? "done", (error) => error);
