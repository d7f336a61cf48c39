/** Somebody who looks, with the VMs and hosts that are in sight. Pure. */
import { LOCAL_HOST } from "../contract/local_host.ts";
import {
  isOfHosts,
  may,
  mayAnythingOn,
  type Rights,
  type VmObject,
  vmObject,
  type VmPlace,
} from "./rights.ts";

/** Lookup of the hosts, groups and projects of VMs. */
export interface VmPlaces {
  /** Undefined for a VM that no host is known to have. */
  readonly placeOf: (vmId: string) => VmPlace | undefined;
  /** The VMs of a host. */
  readonly vmsOn: (hostId: string) => readonly VmObject[];
}

/** The user who reads, with their rights and the locations of VMs. */
export interface Viewer extends VmPlaces {
  readonly rights: Rights;
  readonly name: string;
  /** When the account was made, in milliseconds since 1970: what has its name and is older, was somebody else's. */
  readonly since?: number | undefined;
  /** Milliseconds since 1970 from which on a VM's id is its own: another VM had it before. */
  readonly idSince?: (vmId: string) => number;
}

/** Whether a VM may be seen. */
export function seesVm({ rights, placeOf }: Pick<Viewer, "rights" | "placeOf">, vmId: string): boolean {
  return may(rights, "vms.view", vmObject(vmId, placeOf(vmId)));
}

/**
 * Whether a host is in sight: something may be done on all of it, or a VM there may be seen. The local host is in sight of
 * everybody but those who have rights to other hosts.
 */
export function seesHost({ rights, vmsOn }: Pick<Viewer, "rights" | "vmsOn">, hostId: string): boolean {
  return mayAnythingOn(rights, { hostId }) || (hostId === LOCAL_HOST && !isOfHosts(rights)) ||
    vmsOn(hostId).some((vm) => may(rights, "vms.view", vm));
}
