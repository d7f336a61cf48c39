/** Test machines: real libvirt domains that run the tiny guest under emulation. */
import { type DiskXml, domainXml, type VncXml } from "./domain_xml.ts";
import { buildGuest, type Guest, READY } from "./guest.ts";
import { ensureLibvirtd, libvirtAnswers, qemuPid, startLibvirtd, virsh, virshUnless } from "./libvirt.ts";
import { filesOf, testName } from "./names.ts";
import type { TestNetwork } from "./network.ts";
import type { TestPool } from "./pool.ts";
import { exists, run } from "./process.ts";
import { removeDomain, removeFiles } from "./removal.ts";
import { spend } from "./times.ts";
import { until, type WaitOptions } from "./wait.ts";

/** A disk to make for a machine. */
export interface DiskOptions {
  /** As qemu-img takes it; `64M` when left out. */
  readonly size?: string;
  readonly format?: "qcow2" | "raw";
  readonly bus?: "virtio" | "scsi";
  /** Makes it a volume of this pool instead of a file in the machine's own folder. */
  readonly pool?: TestPool;
  /** Makes it an overlay on this qcow2 image. */
  readonly backing?: string;
}

/** Options of a test machine. Without options: defined, not started, with an agent, no disk, network or graphics. */
export interface MachineOptions {
  /** Becomes part of the name: `kvmm-test-<purpose>-<random>`. */
  readonly purpose?: string;
  readonly start?: boolean;
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  /** For hosts with very many of them: see `domain_xml.ts`. */
  readonly codeCacheMiB?: number;
  readonly machine?: "q35" | "pc";
  /** Any text XML can hold; libvirt allows no line break in a title. */
  readonly title?: string;
  readonly description?: string;
  readonly network?: TestNetwork;
  readonly vnc?: boolean | VncXml;
  readonly agent?: boolean;
  /** A channel for our own agent; the guest of `agent_guest.ts` has one. */
  readonly ownAgent?: boolean;
  /** `pty` (the default) can be attached to and is logged as well; `file` is only logged. */
  readonly serial?: "pty" | "file";
  readonly disks?: readonly DiskOptions[];
  /** Another guest than the tiny one; `false`: no kernel, the firmware finds nothing to boot, the machine just runs. */
  readonly guest?: false | Guest;
}

/** libvirt's words for a domain's state, as `virsh domstate` prints them. */
export type MachineState =
  | "running"
  | "idle"
  | "paused"
  | "in shutdown"
  | "shut off"
  | "crashed"
  | "pmsuspended";

/** A domain of a test. Disposing of it removes it with all it has, whatever the test did to it. */
export class TestMachine implements AsyncDisposable {
  readonly #cleanup: AsyncDisposableStack;

  /** Called by {@link testMachine} alone. */
  constructor(
    readonly name: string,
    readonly uuid: string,
    /** The address of its one interface; null without a network. */
    readonly mac: string | null,
    /** Paths of its disks, in order. */
    readonly disks: readonly string[],
    /** The file its serial console is logged to. */
    readonly serialLog: string,
    readonly network: TestNetwork | null,
    cleanup: AsyncDisposableStack,
  ) {
    this.#cleanup = cleanup;
  }

  /** Starts it and returns once QEMU runs; see the `waitFor…` methods for the guest itself. */
  async start(): Promise<void> {
    await virsh("start", this.name);
  }

  /** Its state as virsh sees it. */
  async state(): Promise<MachineState> {
    return await virsh("domstate", this.name) as MachineState;
  }

  /** Its XML: the live one while it runs. */
  xml(...flags: ("--inactive" | "--security-info")[]): Promise<string> {
    return virsh("dumpxml", this.name, ...flags);
  }

  /** Its QEMU process, or null. */
  qemuPid(): Promise<number | null> {
    return qemuPid(this.name);
  }

  /** Waits for a state. */
  async waitFor(state: MachineState, options: WaitOptions = {}): Promise<void> {
    await until(`${this.name} to be ${state}`, async () => await this.state() === state, {
      lastSeen: () => this.state(),
      ...options,
    });
  }

  /** How often the guest has come up since the machine was started: a reboot counts, a start begins again. */
  async boots(): Promise<number> {
    return (await this.serial()).split(READY).length - 1;
  }

  /** Waits until the guest has come up. @param boots how often, since the start: 2 after one reboot */
  async waitForBoot(boots = 1, options: WaitOptions = {}): Promise<void> {
    await spend(
      "boot",
      () =>
        until(`boot ${boots} of ${this.name}`, async () => await this.boots() >= boots, {
          lastSeen: async () => JSON.stringify((await this.serial()).slice(-400)),
          ...options,
        }),
    );
  }

  /** Output on its serial console since the start. */
  async serial(): Promise<string> {
    return await exists(this.serialLog) ? await Deno.readTextFile(this.serialLog) : "";
  }

  /** Asks the guest agent. @returns its `return` value @throws {ProcessError} when it does not answer */
  async agent(execute: string, args?: Record<string, unknown>): Promise<unknown> {
    const request = JSON.stringify(args === undefined ? { execute } : { execute, arguments: args });
    const answer = JSON.parse(await virsh("qemu-agent-command", this.name, request, "--timeout", "5"));
    return (answer as { return: unknown }).return;
  }

  /** Waits until the guest agent answers a ping. */
  async waitForAgent(options: WaitOptions = {}): Promise<void> {
    const silent = /not connected|not responding|not available/i;
    const ping = JSON.stringify({ execute: "guest-ping" });
    const answers = async () =>
      await virshUnless(silent, "qemu-agent-command", this.name, ping, "--timeout", "1") !== null;
    await spend("boot", () =>
      until(`the agent of ${this.name}`, answers, {
        lastSeen: () => this.state(),
        ...options,
      }));
  }

  /** Waits until the network's DHCP server has given it an address, and returns that. */
  async waitForLease(options: WaitOptions = {}): Promise<string> {
    const { network, mac } = this;
    if (network === null || mac === null) throw new Error(`${this.name} has no network to get a lease from`);
    const address = async () => (await network.leases()).find((lease) => lease.mac === mac)?.address;
    return await spend("boot", () =>
      until(`a lease for ${this.name}`, address, {
        lastSeen: async () => JSON.stringify((await this.serial()).slice(-400)),
        ...options,
      }));
  }

  /** Removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    // A test of faults may have left libvirtd dead: nothing could be cleaned up then.
    if (!await libvirtAnswers()) await startLibvirtd();
    await this.#cleanup.disposeAsync();
  }
}

/** Defines a machine, and starts it when asked to. Fails whole: what was made is removed again. */
export async function testMachine(options: MachineOptions = {}): Promise<TestMachine> {
  await ensureLibvirtd();
  const guest = options.guest === false ? undefined : options.guest ?? await buildGuest();
  const name = await testName(options.purpose ?? "machine");
  const folder = filesOf(name);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeFiles(name));
  await Deno.mkdir(folder, { recursive: true });
  const disks: DiskXml[] = [];
  for (const [index, disk] of (options.disks ?? []).entries()) {
    disks.push(await makeDisk(disk, `${name}-${index}`, folder));
  }
  const uuid = crypto.randomUUID();
  const mac = options.network === undefined ? null : randomMac();
  const serialLog = `${folder}/serial.log`;
  const definition = domainXml({
    name,
    uuid,
    memoryMiB: options.memoryMiB ?? 256,
    vcpus: options.vcpus ?? 1,
    machine: options.machine ?? "q35",
    ...(options.title === undefined ? {} : { title: options.title }),
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(guest === undefined ? {} : { guest }),
    ...(options.network === undefined || mac === null
      ? {}
      : { network: { name: options.network.name, mac } }),
    ...(options.vnc === undefined || options.vnc === false
      ? {}
      : { vnc: options.vnc === true ? {} : options.vnc }),
    agent: options.agent ?? true,
    ownAgent: options.ownAgent ?? false,
    serial: { kind: options.serial ?? "pty", log: serialLog },
    disks,
    ...(options.codeCacheMiB === undefined ? {} : { codeCacheMiB: options.codeCacheMiB }),
  });
  await Deno.writeTextFile(`${folder}/domain.xml`, String(definition));
  undo.defer(() => removeDomain(name));
  await virsh("define", `${folder}/domain.xml`);
  if (options.start === true) await virsh("start", name);
  const paths = disks.map((disk) => disk.path);
  return new TestMachine(name, uuid, mac, paths, serialLog, options.network ?? null, undo.move());
}

async function makeDisk(options: DiskOptions, name: string, folder: string): Promise<DiskXml> {
  const { size = "64M", format = "qcow2", bus = "virtio", pool, backing } = options;
  if (pool !== undefined) {
    if (backing !== undefined) throw new TypeError("a disk is either a new volume or an overlay");
    return { path: await pool.createVolume(`${name}.${format}`, size, format), format, bus };
  }
  const path = `${folder}/${name}.${format}`;
  const base = backing === undefined ? [] : ["-b", backing, "-F", "qcow2"];
  await run([
    "qemu-img",
    "create",
    "-q",
    "-f",
    format,
    ...base,
    path,
    ...(backing === undefined ? [size] : []),
  ]);
  return { path, format, bus };
}

/** An address in QEMU's own range, 52:54:00. */
function randomMac(): string {
  const bytes = [...crypto.getRandomValues(new Uint8Array(3))];
  return ["52", "54", "00", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}
