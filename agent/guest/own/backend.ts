/** KVM Manager's own guest agent (guest/, Go), over its channel. */
import {
  EXEC_TASK_SECONDS,
  type GuestAbility,
  type GuestFile,
  type GuestFilesystem,
  type GuestInfo,
  type GuestInterface,
  type GuestMetadatum,
  type GuestMetrics,
  type GuestPackages,
  type GuestProcess,
  type GuestSecurity,
  type GuestUnit,
  type Input,
  MOST_OUTPUT,
  type UserInfo,
  type VM,
} from "../../../lib/contract/mod.ts";
import { joined } from "../../../lib/bytes.ts";
import { channelOf, type ChannelState, type FoundChannel } from "../../../lib/formats/xml/channel.ts";
import {
  ownFilesystems,
  ownInterfaces,
  ownMetadata,
  ownMetrics,
  ownPackages,
  ownProcesses,
  ownSecurity,
  ownServices,
  ownSystem,
  ownUsers,
} from "../../../lib/guest/own_told.ts";
import { AGENT_CHANNEL } from "../../../lib/guest/protocol.ts";
import {
  type BlockedReason,
  LINE_TAKEN,
  methodNotOffered,
  NOT_ON_WINDOWS,
  OTHER_VERSION,
  OWN_NO_CHANNEL,
  OWN_NOT_INSTALLED,
  SILENT,
} from "../../../lib/guest/remedies.ts";
import type { AgentMethod, AgentResult } from "../../../lib/guest/results.ts";
import { toldText } from "../../../lib/guest/told.ts";
import type { Clock } from "../../clock.ts";
import { log } from "../../log.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import type {
  BackendState,
  ExecOutcome,
  ExecRequest,
  GuestBackend,
  GuestReader,
  GuestWriter,
  PackageQuery,
  ProcessQuery,
} from "../backend.ts";
import { ownFailure } from "./contract_failure.ts";
import { AgentFailure } from "./failure.ts";
import { OwnFiles } from "./files.ts";
import type { OwnAgentLines } from "./lines.ts";

/** The agent's methods that an ability takes. */
const METHODS: Readonly<Record<GuestAbility, readonly AgentMethod[]>> = {
  "info": ["get_system_info", "get_network_info"],
  "network": ["get_network_info"],
  "filesystems": ["get_disk_usage"],
  "users": ["get_users"],
  "metrics": ["get_metrics"],
  "exec": ["exec_command"],
  "files": ["file_open", "chunk_read", "chunk_write", "file_close", "file_list"],
  "power": ["shutdown", "reboot"],
  "freeze": ["fs_freeze", "fs_thaw"],
  "time": ["set_time"],
  "password": ["set_password"],
  "ssh-keys": ["ssh_keys_list", "ssh_keys_add", "ssh_keys_remove"],
  "processes": ["get_processes"],
  "services": ["get_services"],
  "service-control": ["control_service"],
  "packages": ["get_packages"],
  "security": ["get_security"],
  "metadata": ["get_metadata", "set_metadata"],
};

/** Abilities that it does not have on Windows. */
const NOT_WINDOWS: ReadonlySet<GuestAbility> = new Set(["freeze", "ssh-keys", "packages"]);

/** Milliseconds an answer may take. A guest that works hard takes some; what takes longer hangs. */
const ANSWER_MS = 10_000;
/** Milliseconds for what the guest's own programs are asked for: package managers, services. */
const PROGRAM_MS = 60_000;
/**
 * Milliseconds a channel's state is kept that libvirt was asked for; while its line is open, which an event of its end
 * closes, a call takes an older one.
 */
const STATE_MS = 1500, OPEN_STATE_MS = 30_000;
/** Seconds that the agent keeps a guest frozen at most, and those it has beyond what was asked for: who asked thaws it. */
const MOST_FROZEN_SECONDS = 290, FREEZE_GRACE_SECONDS = 10;
/** Exit status of a shell and of `timeout` for a program that was ended at its time limit. */
const TIMED_OUT = 124;

/** Collects what a program writes, up to a bound. */
class Output {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;
  isCut = false;

  add(bytes: Uint8Array<ArrayBuffer>): void {
    const part = bytes.subarray(0, MOST_OUTPUT - this.#size);
    this.isCut ||= part.length < bytes.length;
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#size += part.length;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return joined(this.#parts);
  }
}

interface Kept {
  readonly at: number;
  readonly value: Promise<FoundChannel>;
}

export class OwnBackend implements GuestBackend {
  readonly kind = "kvm-manager-agent";
  readonly mostFrozenSeconds = MOST_FROZEN_SECONDS;
  readonly #files: OwnFiles;
  readonly #states = new Map<string, Kept>();

  constructor(
    private readonly link: Pick<LibvirtLink, "call">,
    private readonly lines: OwnAgentLines,
    private readonly clock: Clock,
    /** Is given the interfaces whenever a guest tells them, whoever asked. */
    private readonly told: (vmId: string, interfaces: readonly GuestInterface[]) => void = () => {},
  ) {
    this.#files = new OwnFiles(lines);
  }

  /** The guest has opened or closed its end of a channel. Whoever waits for an agent that is gone is told at once. */
  async channelChanged(uuid: string, isOpen: boolean, alias: string): Promise<void> {
    const known = this.#states.get(uuid);
    this.#states.delete(uuid);
    const ours = (await (known?.value ?? this.#channel(uuid))).alias;
    if (ours !== alias) return;
    if (!isOpen) this.lines.forget(uuid);
    else this.lines.hurry(uuid);
  }

  /** The socket of its channel on the host, as last read; undefined where it has none. @throws {ContractError} */
  async channelPath(uuid: string): Promise<string | undefined> {
    await this.#stateOf({ id: uuid }, OPEN_STATE_MS);
    return (await this.#states.get(uuid)?.value)?.path;
  }

  /** Another system may run in it by now. */
  forget(vmId: string): void {
    this.#states.delete(vmId);
    this.lines.forget(vmId);
  }

  async state(vm: VM): Promise<BackendState> {
    const agent = this.kind, state = await this.channel(vm);
    if (state !== "connected") return { agent, state };
    try {
      return await this.lines.use(vm.id, async (client) => {
        const version = toldText(client.info.version, 64);
        return { agent, state: await client.hasVoice() ? state : "silent", version };
      });
    } catch (error) {
      if (!(error instanceof AgentFailure)) throw ownFailure(error, { method: "get_agent_info" });
      return { agent, state: error.reason === "closed" ? "disconnected" : "silent" };
    }
  }

  async hindrance(vm: VM, ability: GuestAbility): Promise<BlockedReason | undefined> {
    const state = await this.#stateOf(vm, this.lines.isOpen(vm.id) ? OPEN_STATE_MS : STATE_MS);
    if (state === "not configured") return OWN_NO_CHANNEL;
    if (state === "disconnected") return OWN_NOT_INSTALLED;
    try {
      return await this.lines.use(vm.id, async (client) => {
        if (!await client.hasVoice()) return SILENT;
        const missing = METHODS[ability].find((method) => !client.can(method));
        const isLacking = client.info.os_type === "windows" && NOT_WINDOWS.has(ability);
        return isLacking ? NOT_ON_WINDOWS : missing && methodNotOffered(missing);
      });
    } catch (error) {
      if (!(error instanceof AgentFailure)) throw ownFailure(error, { method: "get_agent_info" });
      if (error.reason === "closed") return OWN_NOT_INSTALLED;
      if (error.reason === "taken") return LINE_TAKEN;
      return error.reason === "version" ? OTHER_VERSION : SILENT;
    }
  }

  /**
   * Whether somebody in the guest has opened its end. libvirt sends an event of such a change for QEMU's agent alone; of any channel
   * it keeps the state, in the XML of the running VM, which is read when somebody wants to know.
   */
  async channel(vm: VM): Promise<ChannelState> {
    return await this.#stateOf(vm, STATE_MS);
  }

  async #stateOf({ id }: Pick<VM, "id">, mostMs: number): Promise<ChannelState> {
    const kept = this.#states.get(id);
    if (kept !== undefined && this.clock.monotonic() - kept.at < mostMs) return (await kept.value).state;
    const value = this.#channel(id);
    this.#states.set(id, { at: this.clock.monotonic(), value });
    value.catch(() => {
      if (this.#states.get(id)?.value === value) this.#states.delete(id);
    });
    return (await value).state;
  }

  async #channel(uuid: string): Promise<FoundChannel> {
    try {
      const xml = await this.link.call("domainXml", { uuid, secure: false, inactive: false });
      return channelOf(xml, AGENT_CHANNEL);
    } catch (error) {
      throw ownFailure(error, { method: "get_agent_info" });
    }
  }

  async system(vm: VM): Promise<GuestInfo> {
    const [system, interfaces] = await Promise.all([
      this.#call(vm, "get_system_info"),
      this.interfaces(vm),
    ]);
    return ownSystem(system, interfaces);
  }

  async interfaces(vm: VM): Promise<GuestInterface[]> {
    const interfaces = ownInterfaces(await this.#call(vm, "get_network_info"));
    this.told(vm.id, interfaces);
    return interfaces;
  }

  async filesystems(vm: VM): Promise<GuestFilesystem[]> {
    return ownFilesystems(await this.#call(vm, "get_disk_usage"));
  }

  async users(vm: VM): Promise<UserInfo[]> {
    return ownUsers(await this.#call(vm, "get_users"));
  }

  async metrics(vm: VM): Promise<GuestMetrics> {
    return ownMetrics(await this.#call(vm, "get_metrics", { processes: 10 }));
  }

  async processes(vm: VM, wish: ProcessQuery): Promise<{ total: number; processes: GuestProcess[] }> {
    return ownProcesses(await this.#call(vm, "get_processes", wish));
  }

  async services(vm: VM): Promise<GuestUnit[]> {
    return ownServices(await this.#call(vm, "get_services", {}, PROGRAM_MS));
  }

  async controlService(
    vm: VM,
    name: string,
    action: Input<"guest_control_service">["action"],
  ): Promise<void> {
    await this.#call(vm, "control_service", { name, action }, PROGRAM_MS);
  }

  async packages(vm: VM, { upgradesOnly, ...wish }: PackageQuery): Promise<GuestPackages> {
    const asked = { ...wish, upgrades_only: upgradesOnly };
    return ownPackages(await this.#call(vm, "get_packages", asked, PROGRAM_MS));
  }

  async security(vm: VM): Promise<GuestSecurity> {
    return ownSecurity(await this.#call(vm, "get_security"));
  }

  async metadata(vm: VM): Promise<GuestMetadatum[]> {
    return ownMetadata(await this.#call(vm, "get_metadata"));
  }

  async setMetadata(vm: VM, key: string, value: string): Promise<void> {
    await this.#call(vm, "set_metadata", { key, value });
  }

  async exec(vm: VM, request: ExecRequest): Promise<ExecOutcome> {
    const { command, args, env = [], input, seconds, onOutput, signal } = request;
    const out = { stdout: new Output(), stderr: new Output() };
    const pairs = env.map((each) => {
      const at = each.indexOf("=");
      return [each.slice(0, at), each.slice(at + 1)] as const;
    });
    try {
      const ended = await this.lines.use(vm.id, (client) =>
        client.exec(command, {
          args,
          env: Object.fromEntries(pairs),
          ...(input !== undefined && { stdin: input }),
          timeoutMs: Math.min(seconds, EXEC_TASK_SECONDS.most) * 1000,
          // What is passed on is not kept, and has no bound
          ...(onOutput === undefined && { maxOutput: MOST_OUTPUT }),
          onOutput: onOutput ?? ((stream, bytes) => out[stream].add(bytes)),
          ...(signal && { signal }),
        }));
      return {
        stdout: out.stdout.bytes,
        stderr: out.stderr.bytes,
        exitCode: ended.timedOut ? TIMED_OUT : ended.exitCode,
        timedOut: ended.timedOut,
        stdoutTruncated: out.stdout.isCut || ended.stdoutTruncated,
        stderrTruncated: out.stderr.isCut || ended.stderrTruncated,
      };
    } catch (error) {
      throw ownFailure(error, { method: "exec_command", command });
    }
  }

  async listFiles(vm: VM, path: string): Promise<{ files: GuestFile[]; truncated: boolean }> {
    return await this.#files.list(vm, path);
  }

  async openFile(vm: VM, path: string): Promise<GuestReader> {
    return await this.#files.open(vm, path);
  }

  async createFile(vm: VM, path: string, mode?: string): Promise<GuestWriter> {
    return await this.#files.create(vm, path, mode);
  }

  async makeFolder(vm: VM, path: string, mode?: string): Promise<void> {
    await this.#files.makeFolder(vm, path, mode);
  }

  async appendToFile(vm: VM, path: string, bytes: Uint8Array): Promise<void> {
    await this.#files.append(vm, path, bytes);
  }

  async freeze(vm: VM, mountpoints: readonly string[], seconds: number): Promise<number> {
    const timeout_ms = (Math.min(seconds, MOST_FROZEN_SECONDS) + FREEZE_GRACE_SECONDS) * 1000;
    const wish = { timeout_ms, ...(mountpoints.length > 0 && { mount_points: mountpoints }) };
    return (await this.#call(vm, "fs_freeze", wish)).mount_points.length;
  }

  async thaw(vm: VM): Promise<number> {
    const before = await this.#call(vm, "fs_freeze_status");
    await this.#call(vm, "fs_thaw");
    return before.mount_points.length;
  }

  readonly power = async (vm: VM, again: boolean): Promise<void> => {
    await this.#call(vm, again ? "reboot" : "shutdown");
  };

  /** {@link power}, where the agent is there and does it: whoever asks has another way. */
  async asks(vm: VM, again: boolean): Promise<boolean> {
    try {
      if (await this.hindrance(vm, "power") !== undefined) return false;
      await this.power(vm, again);
      return true;
    } catch (error) {
      log.info("the guest's agent was asked for nothing, it goes another way", { vm: vm.name, error });
      return false;
    }
  }

  async setTime(vm: VM, ms: number): Promise<void> {
    await this.#call(vm, "set_time", { time_ms: ms });
  }

  async setPassword(vm: VM, user: string, password: string): Promise<void> {
    await this.#call(vm, "set_password", { user, password });
  }

  async sshKeys(vm: VM, user: string): Promise<string[]> {
    return (await this.#call(vm, "ssh_keys_list", { user })).keys.map((key) => toldText(key, 16_384))
      .filter((key) => key !== "");
  }

  async changeSshKeys(
    vm: VM,
    user: string,
    change: "add" | "remove",
    keys: readonly string[],
  ): Promise<void> {
    await this.#call(vm, `ssh_keys_${change}`, { user, keys });
  }

  async #call<M extends AgentMethod>(
    { id }: VM,
    method: M,
    params: object = {},
    limitMs = ANSWER_MS,
  ): Promise<AgentResult<M>> {
    try {
      return await this.lines.use(id, (client) => client.call(method, params, { limitMs }));
    } catch (error) {
      throw ownFailure(error, { method });
    }
  }
}
