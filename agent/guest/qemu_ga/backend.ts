/** QEMU's own guest agent, as most systems bring it along. */
import type { Static } from "typebox";
import type { Params } from "../../../ffi/typed_params.ts";
import {
  ContractError,
  type GuestAbility,
  type GuestFile,
  type GuestFilesystem,
  type GuestInfo,
  type GuestInterface,
  type GuestMetrics,
  type UserInfo,
  type VM,
} from "../../../lib/contract/mod.ts";
import type { ChannelState } from "../../../lib/formats/xml/channel.ts";
import { PROC_FILES, procMetrics } from "../../../lib/guest/linux_proc.ts";
import {
  type BlockedReason,
  LINUX_ALONE,
  NO_CHANNEL,
  NOT_INSTALLED,
  OWN_ALONE,
  SILENT,
  switchedOff,
  unknownTo,
} from "../../../lib/guest/remedies.ts";
import { toldFilesystems, toldInterfaces, toldSystem, toldText, toldUsers } from "../../../lib/guest/told.ts";
import { type Clock, sleep } from "../../clock.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type {
  BackendState,
  ExecOutcome,
  ExecRequest,
  GuestBackend,
  GuestReader,
  GuestWriter,
} from "../backend.ts";
import type { GuestLines } from "../guest_lines.ts";
import { QemuAgent } from "./agent.ts";
import { AgentInfo, OsInfo } from "./answers.ts";
import { QemuExec } from "./exec.ts";
import { QemuFiles } from "./files.ts";

/** The agent's commands that an ability takes. */
const COMMANDS: Readonly<Partial<Record<GuestAbility, readonly string[]>>> = {
  "info": ["guest-get-osinfo"],
  "network": ["guest-network-get-interfaces"],
  "filesystems": ["guest-get-fsinfo"],
  "users": ["guest-get-users"],
  "metrics": ["guest-file-open", "guest-file-read", "guest-file-close"],
  "exec": ["guest-exec", "guest-exec-status"],
  "files": ["guest-file-open", "guest-file-read", "guest-file-write", "guest-file-close", "guest-file-seek"],
  "power": ["guest-shutdown"],
  "freeze": ["guest-fsfreeze-freeze", "guest-fsfreeze-thaw"],
  "time": ["guest-set-time"],
  "password": ["guest-set-user-password"],
  "ssh-keys": ["guest-ssh-get-authorized-keys", "guest-ssh-add-authorized-keys"],
};

/** Abilities that it has in Linux guests alone. */
const OF_LINUX: ReadonlySet<GuestAbility> = new Set(["metrics"]);

/** Milliseconds an agent's list of commands is kept, and what it says about the guest. */
const KNOWN_MS = 20_000, TOLD_MS = 1500;
/** Milliseconds between two looks at processors, and the longest time between them that says something of now. */
const CPU_MS = { between: 1000, most: 60_000 } as const;
/** Bytes of a file under `/proc`. */
const MOST_PROC = 128 * 1024;

/** Cached data of an agent. */
interface Known {
  readonly version: string;
  /** Command → whether it may be used. */
  readonly commands: ReadonlyMap<string, boolean>;
  readonly isWindows: boolean;
}

interface Kept<T> {
  readonly at: number;
  readonly value: Promise<T>;
}

/** Refuses commands that it does not have: the other agent is asked. @throws {ContractError} GuestUnavailable */
const cannot = () => Promise.reject(new ContractError("GuestUnavailable", { ...OWN_ALONE }));

export class QemuBackend implements GuestBackend {
  readonly kind = "qemu-ga";
  readonly #agent: QemuAgent;
  readonly #exec: QemuExec;
  readonly #files: QemuFiles;
  readonly #known = new Map<string, Kept<Known>>();
  readonly #told = new Map<string, Kept<Params>>();
  readonly #stats = new Map<string, { readonly at: number; readonly stat: string }>();

  constructor(host: LibvirtHost, lines: GuestLines, private readonly clock: Clock) {
    this.#agent = new QemuAgent(host, lines);
    this.#exec = new QemuExec(this.#agent, clock);
    this.#files = new QemuFiles(this.#agent, (vm, request) => this.exec(vm, request));
  }

  /** Another system may run in it by now. */
  forget(vmId: string): void {
    for (const map of [this.#known, this.#told, this.#stats]) map.delete(vmId);
  }

  async state(vm: VM): Promise<BackendState> {
    const agent = this.kind;
    const channel = vm.guestAgents[agent];
    if (channel !== "connected") return { agent, state: channel };
    try {
      const { version } = await this.#knownOf(vm);
      return { agent, state: "connected", version };
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      return { agent, state: error.code === "GuestUnavailable" ? "disconnected" : "silent" };
    }
  }

  channel({ guestAgents }: VM): Promise<ChannelState> {
    return Promise.resolve(guestAgents[this.kind]);
  }

  async hindrance(vm: VM, ability: GuestAbility): Promise<BlockedReason | undefined> {
    const needed = COMMANDS[ability];
    if (needed === undefined) return OWN_ALONE;
    const channel = vm.guestAgents[this.kind];
    if (channel === "not configured") return NO_CHANNEL;
    if (channel === "disconnected") return NOT_INSTALLED;
    let known: Known;
    try {
      known = await this.#knownOf(vm);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      return error.code === "GuestUnavailable" ? NOT_INSTALLED : SILENT;
    }
    const { commands, version, isWindows } = known;
    if (isWindows && OF_LINUX.has(ability)) return LINUX_ALONE;
    for (const command of needed) {
      const isEnabled = commands.get(command);
      if (isEnabled === undefined) return unknownTo(command, version);
      if (!isEnabled) return switchedOff(command);
    }
    return undefined;
  }

  async system(vm: VM): Promise<GuestInfo> {
    return toldSystem(await this.#toldOf(vm));
  }

  async interfaces(vm: VM): Promise<GuestInterface[]> {
    return toldInterfaces(await this.#toldOf(vm));
  }

  async filesystems(vm: VM): Promise<GuestFilesystem[]> {
    return toldFilesystems(await this.#toldOf(vm));
  }

  async users(vm: VM): Promise<UserInfo[]> {
    return toldUsers(await this.#toldOf(vm));
  }

  async metrics(vm: VM): Promise<GuestMetrics> {
    let before = this.#stats.get(vm.id);
    if (before === undefined || this.clock.monotonic() - before.at > CPU_MS.most) {
      before = { at: this.clock.monotonic(), stat: await this.#read(vm, PROC_FILES.stat) };
    }
    const age = this.clock.monotonic() - before.at;
    if (age < CPU_MS.between) await sleep(this.clock, CPU_MS.between - age);
    const read: Record<string, string> = {};
    for (const [name, path] of Object.entries(PROC_FILES)) {
      read[name] = await this.#readIfThere(vm, path);
    }
    const now = read as Record<keyof typeof PROC_FILES, string>;
    // What was read up to here took CPU of the guest: the next figures begin behind it.
    this.#stats.set(vm.id, {
      stat: await this.#readIfThere(vm, PROC_FILES.stat),
      at: this.clock.monotonic(),
    });
    return procMetrics(before.stat, now);
  }

  /** A file of the guest; nothing where it lacks it: it has the others all the same. */
  #readIfThere(vm: VM, path: string): Promise<string> {
    return this.#read(vm, path).catch((error) => {
      if (error instanceof ContractError && /^GuestFile/.test(error.code)) return "";
      throw error;
    });
  }

  processes(): Promise<never> {
    return cannot();
  }

  services(): Promise<never> {
    return cannot();
  }

  controlService(): Promise<never> {
    return cannot();
  }

  packages(): Promise<never> {
    return cannot();
  }

  security(): Promise<never> {
    return cannot();
  }

  metadata(): Promise<never> {
    return cannot();
  }

  setMetadata(): Promise<never> {
    return cannot();
  }

  async exec(vm: VM, request: ExecRequest): Promise<ExecOutcome> {
    const outcome = await this.#exec.run(vm, request, (await this.#knownOf(vm)).isWindows);
    const { onOutput } = request;
    if (onOutput === undefined) return outcome;
    // This agent has no output to give before the end
    for (const stream of ["stdout", "stderr"] as const) {
      if (outcome[stream].length > 0) onOutput(stream, outcome[stream].slice());
    }
    const none = new Uint8Array();
    return { ...outcome, stdout: none, stderr: none };
  }

  /** @throws {ContractError} GuestUnavailable where Linux' own programs cannot be run */
  async #requireProgramsOfLinux(vm: VM): Promise<void> {
    const hindrance = (await this.#knownOf(vm)).isWindows ? LINUX_ALONE : await this.hindrance(vm, "exec");
    if (hindrance !== undefined) throw new ContractError("GuestUnavailable", { ...hindrance });
  }

  async listFiles(vm: VM, path: string): Promise<{ files: GuestFile[]; truncated: boolean }> {
    await this.#requireProgramsOfLinux(vm);
    return await this.#files.list(vm, path);
  }

  async openFile(vm: VM, path: string): Promise<GuestReader> {
    return await this.#files.open(vm, path);
  }

  async createFile(vm: VM, path: string, mode?: string): Promise<GuestWriter> {
    const { isWindows } = await this.#knownOf(vm);
    const canRun = !isWindows && await this.hindrance(vm, "exec") === undefined;
    return await this.#files.create(vm, path, mode, canRun);
  }

  async makeFolder(vm: VM, path: string, mode?: string): Promise<void> {
    await this.#requireProgramsOfLinux(vm);
    await this.#files.makeFolder(vm, path, mode);
  }

  async appendToFile(vm: VM, path: string, bytes: Uint8Array): Promise<void> {
    await this.#files.append(vm, path, bytes);
  }

  async freeze(vm: VM, mountpoints: readonly string[]): Promise<number> {
    return await this.#agent.call(vm, "domainFreeze", { mountpoints });
  }

  async thaw(vm: VM): Promise<number> {
    return await this.#agent.call(vm, "domainThaw", {}, true);
  }

  async setTime(vm: VM, ms: number): Promise<void> {
    await this.#agent.call(vm, "guestSetTime", { ms });
  }

  async setPassword(vm: VM, user: string, password: string): Promise<void> {
    await this.#agent.call(vm, "guestSetPassword", { user, password });
  }

  async sshKeys(vm: VM, user: string): Promise<string[]> {
    return (await this.#agent.call(vm, "guestSshKeys", { user })).map((key) => toldText(key, 16_384))
      .filter((key) => key !== "");
  }

  async changeSshKeys(
    vm: VM,
    user: string,
    change: "add" | "remove",
    keys: readonly string[],
  ): Promise<void> {
    await this.#agent.call(vm, "guestChangeSshKeys", { user, change, keys });
  }

  async #read(vm: VM, path: string): Promise<string> {
    await using file = await this.openFile(vm, path);
    return new TextDecoder().decode(await file.read(MOST_PROC));
  }

  #knownOf(vm: VM): Promise<Known> {
    return this.#kept(this.#known, vm, KNOWN_MS, async () => {
      const { version, supported_commands } = await this.#agent.ask(vm, "guest-info", AgentInfo);
      const commands = new Map(supported_commands.map(({ name, enabled }) => [name, enabled]));
      const os: Static<typeof OsInfo> = commands.get("guest-get-osinfo")
        ? await this.#agent.ask(vm, "guest-get-osinfo", OsInfo).catch((error) => {
          if (error instanceof ContractError && error.code === "GuestRefused") return {};
          throw error;
        })
        : {};
      return { version: toldText(version, 64), commands, isWindows: os.id === "mswindows" };
    });
  }

  #toldOf(vm: VM): Promise<Params> {
    return this.#kept(this.#told, vm, TOLD_MS, () => this.#agent.call(vm, "guestInfo", {}));
  }

  /** Asks once for all who want to know, and keeps it for a moment; not a failure. */
  #kept<T>(map: Map<string, Kept<T>>, { id }: VM, ms: number, read: () => Promise<T>): Promise<T> {
    const kept = map.get(id);
    if (kept !== undefined && this.clock.monotonic() - kept.at < ms) return kept.value;
    const value = read();
    map.set(id, { at: this.clock.monotonic(), value });
    value.catch(() => {
      if (map.get(id)?.value === value) map.delete(id);
    });
    return value;
  }
}
