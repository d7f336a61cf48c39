/** A VM as the inventory keeps it. */
import type { DomainRecord, GuestAddress } from "../../../ffi/calls/mod.ts";
import { LIFECYCLE } from "../../../ffi/events.ts";
import type { VM, VmStats } from "../../../lib/contract/vm.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import type { Extras } from "./view.ts";

/** A VM in memory. */
export interface VmEntry {
  record: DomainRecord;
  addresses: readonly GuestAddress[];
  sizes: Map<string, { capacity: number; allocation: number }>;
  /** Sources of disks that are not there. */
  missing: ReadonlySet<string | undefined>;
  stateSince: number | undefined;
  startedAt: number | undefined;
  operation: string | undefined;
  powerRequest: VM["powerRequest"];
  /** When libvirt last told of a change that the operation under way is to read; undefined when there is none. */
  toldAt: number | undefined;
  /** Kind of the last of these events, if each changed only the state. */
  toldKind: typeof LIFECYCLE[number] | undefined;
  /** Its state is what an event told, and was not read since. */
  isAnticipated: boolean;
  notResponding: VM["notResponding"];
  guest: VM["guest"];
  agentSilent: boolean;
  stats: VmStats | undefined;
  trouble: string | undefined;
  silentMount: Extras["silentMount"];
  startRisk: Extras["startRisk"];
  leftImage: Extras["leftImage"];
  isForcedOff: boolean;
  lostLabels: VM["lostLabels"];
  /** The process that runs it although libvirt takes it for off. */
  lostPid: number | undefined;
  /** It was told that it was paused, and not yet that it goes on. */
  toldPaused: boolean;
  /** When it was last asked for, by `performance.now()`. */
  askedAt: number;
  /** The view of all the above; made again when one of them changes. */
  view: VM;
}

/** A hang of a VM that is seen for the first time: it may have begun before. */
export function notRespondingOf({ gate }: LibvirtLink, uuid: string): VM["notResponding"] {
  const hang = gate.hangOf(`vm:${uuid}`);
  return hang && { since: hang.since, call: hang.call };
}

/** One that was just read for the first time. Its view is made next. */
export function newVmEntry(record: DomainRecord, notResponding: VM["notResponding"]): VmEntry {
  return {
    record,
    addresses: [],
    sizes: new Map(),
    missing: new Set(),
    stateSince: undefined,
    startedAt: undefined,
    operation: undefined,
    powerRequest: undefined,
    toldAt: undefined,
    toldKind: undefined,
    isAnticipated: false,
    notResponding,
    guest: undefined,
    agentSilent: false,
    lostPid: undefined,
    stats: undefined,
    trouble: undefined,
    silentMount: undefined,
    startRisk: undefined,
    leftImage: undefined,
    isForcedOff: false,
    lostLabels: undefined,
    toldPaused: false,
    askedAt: performance.now(),
    view: undefined as unknown as VM,
  };
}

/** Facts of a VM that are known in addition to its record. */
export type KnownExtras = Pick<
  VmEntry,
  | "addresses"
  | "sizes"
  | "missing"
  | "startedAt"
  | "operation"
  | "powerRequest"
  | "notResponding"
  | "guest"
  | "agentSilent"
  | "lostPid"
  | "trouble"
  | "silentMount"
  | "startRisk"
  | "leftImage"
  | "isForcedOff"
  | "lostLabels"
>;
