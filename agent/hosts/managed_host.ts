/** A host as the rest of the program uses it, whether its libvirt is read here or it is linked. */
import type { CommandName, ConnectionStatus, HostStats, VM } from "../../lib/contract/mod.ts";
import type { Route } from "../dispatch.ts";
import type { StoredHost } from "./records.ts";

/** A host that is served: `LibvirtHost`, whose libvirt is read here, or `LinkedHost`, which has a KVM Manager of its own. */
export interface ManagedHost {
  readonly id: string;
  /** Display name. */
  readonly label: string;
  /** Name of the computer on pages. */
  readonly shownName: string;
  readonly isLinked: boolean;
  /** Address: libvirt's connection URI, of a linked host the address of its KVM Manager. */
  readonly address: string;
  /** The connection to its libvirt; of a linked host that does not answer, why. */
  readonly status: ConnectionStatus;
  /** Whether it was read since the start. */
  readonly isRead: boolean;
  /** When its last answer came while it does not answer, in milliseconds since 1970; undefined where none came. */
  readonly heardAt: number | undefined;
  /** Its load as it was measured last. */
  readonly stats: HostStats | undefined;
  /** Its own VMs; those whose ids belong to another host are left out. */
  vms(): readonly VM[];
  vm(vmId: string): VM | undefined;
  /** Publishes a VM again: its project or its end date has changed. */
  reshow(vmId: string): void;
  /** Carries a command out there; undefined where hosts have no handler for it. */
  handler(command: CommandName): Route["handler"] | undefined;
  /** Connects, and reconnects until it is stopped. Returns at once. */
  start(): void;
  /** Stops within a few seconds. VMs run on. */
  stop(): Promise<void>;
  /** Stops, and no longer settles operations: the host is not served any more. */
  retire(): Promise<void>;
  /** Takes on a label and a login that were changed, without a new host; waits a bounded time for the sign-in. */
  adopt(kept: Pick<StoredHost, "label" | "login">): Promise<void>;
  /** Waits, a bounded time, for the first attempt to connect and read. */
  settled(): Promise<void>;
}
