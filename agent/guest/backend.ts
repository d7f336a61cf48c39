/**
 * An agent in a guest as the rest of the program uses it: one interface for all agents. Each command goes to
 * the better one that supports it (`service.ts`). All answers come from the guest; the back end limits and
 * checks them.
 */
import type {
  AgentStatus,
  GuestAbility,
  GuestAgentKind,
  GuestFile,
  GuestFilesystem,
  GuestInfo,
  GuestInterface,
  GuestMetadatum,
  GuestMetrics,
  GuestPackages,
  GuestProcess,
  GuestSecurity,
  GuestUnit,
  Input,
  UserInfo,
  VM,
} from "../../lib/contract/mod.ts";
import type { ChannelState } from "../../lib/formats/xml/channel.ts";
import type { BlockedReason } from "../../lib/guest/remedies.ts";

/** Whether an agent is there. */
export type BackendState = AgentStatus["agents"][number];

/** A program to be run. */
export interface ExecRequest {
  readonly command: string;
  readonly args: readonly string[];
  /** `NAME=value`, in addition to what the guest has for every program. */
  readonly env?: readonly string[];
  readonly input?: Uint8Array;
  /** Time limit. */
  readonly seconds: number;
  /** Is given the output as it comes, in place of the outcome. */
  readonly onOutput?: (stream: "stdout" | "stderr", bytes: Uint8Array<ArrayBuffer>) => void;
  /** Ends it, where the agent can. */
  readonly signal?: AbortSignal;
}

/** Result of a program; of each output no more than {@link MOST_OUTPUT} bytes. */
export interface ExecOutcome {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
  readonly timedOut: boolean;
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
}

/** Filter and order of processes. */
export type ProcessQuery = Required<Pick<Input<"guest_get_processes">, "sort" | "limit">>;
/** Filter of packages. */
export type PackageQuery = Required<Pick<Input<"guest_get_packages">, "upgradesOnly" | "offset" | "limit">>;

/** A file of the guest that is read. */
export interface GuestReader extends AsyncDisposable {
  /** Bytes it has; null where that is known at its end alone. */
  readonly size: number | null;
  /** Goes to a byte. */
  seek(offset: number): Promise<void>;
  /** The next bytes, never more than asked for; none at the end. */
  read(most: number): Promise<Uint8Array>;
}

/** A file of the guest that is written: it takes its place when it is whole. */
export interface GuestWriter {
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Puts it into its place.
   *
   * @param sha256 of all that was written
   * @returns whether the guest has counted the same
   */
  finish(sha256: string): Promise<boolean>;
  /** Deletes it, as far as the guest still answers. @returns a note on the part that stays, if any */
  abandon(): Promise<string | undefined>;
}

/** An agent. Every call may fail with GuestSilent, GuestBusy, GuestRefused; those on files with theirs. */
export interface GuestBackend {
  readonly kind: GuestAgentKind;
  /** The most seconds it keeps a guest frozen, where that is less than a caller may ask for. */
  readonly mostFrozenSeconds?: number;
  /** Whether the VM has its channel, and somebody in the guest is at it. */
  channel(vm: VM): Promise<ChannelState>;
  /** Whether it is there; asks it, where it may be. Never throws for a guest's fault. */
  state(vm: VM): Promise<BackendState>;
  /** Why it cannot do something; undefined when it can. Never throws for a guest's fault. */
  hindrance(vm: VM, ability: GuestAbility): Promise<BlockedReason | undefined>;

  system(vm: VM): Promise<GuestInfo>;
  interfaces(vm: VM): Promise<GuestInterface[]>;
  filesystems(vm: VM): Promise<GuestFilesystem[]>;
  users(vm: VM): Promise<UserInfo[]>;
  metrics(vm: VM): Promise<GuestMetrics>;
  processes(vm: VM, wish: ProcessQuery): Promise<{ total: number; processes: GuestProcess[] }>;
  services(vm: VM): Promise<GuestUnit[]>;
  controlService(vm: VM, name: string, action: Input<"guest_control_service">["action"]): Promise<void>;
  packages(vm: VM, wish: PackageQuery): Promise<GuestPackages>;
  security(vm: VM): Promise<GuestSecurity>;
  metadata(vm: VM): Promise<GuestMetadatum[]>;
  /** @param value an empty one is taken away */
  setMetadata(vm: VM, key: string, value: string): Promise<void>;

  exec(vm: VM, request: ExecRequest): Promise<ExecOutcome>;

  listFiles(vm: VM, path: string): Promise<{ files: GuestFile[]; truncated: boolean }>;
  openFile(vm: VM, path: string): Promise<GuestReader>;
  /** @param mode permissions in octal; those of what it replaces, else 0644, when left out */
  createFile(vm: VM, path: string, mode?: string): Promise<GuestWriter>;
  /**
   * Makes a folder, and those above it that are missing; one that is there stays as it is.
   *
   * @param mode permissions in octal; 0755 when left out
   */
  makeFolder(vm: VM, path: string, mode?: string): Promise<void>;
  appendToFile(vm: VM, path: string, bytes: Uint8Array): Promise<void>;

  /**
   * Freezes file systems; all where none is named.
   *
   * @param seconds after which an agent that can thaws by itself, whatever becomes of its host
   * @returns how many
   */
  freeze(vm: VM, mountpoints: readonly string[], seconds: number): Promise<number>;
  /** @returns how many were thawed */
  thaw(vm: VM): Promise<number>;
  /** Asks the guest to shut down, or to reboot; undefined: libvirt does it. */
  readonly power?: (vm: VM, again: boolean) => Promise<void>;
  /** @param ms milliseconds since 1970 */
  setTime(vm: VM, ms: number): Promise<void>;
  setPassword(vm: VM, user: string, password: string): Promise<void>;
  sshKeys(vm: VM, user: string): Promise<string[]>;
  changeSshKeys(vm: VM, user: string, change: "add" | "remove", keys: readonly string[]): Promise<void>;
}
