/** Requests of a host to projects before VMs are created there, or grow. */
import { ContractError, type ProjectDefaults, type VM, type VmProject } from "../../lib/contract/mod.ts";
import type { ProjectMeans } from "../../lib/projects/new_vm.ts";
import type { VmSize } from "../../lib/projects/quota.ts";

/** A VM's project and end date, for lists. */
export interface Membership {
  readonly project?: VmProject;
  readonly endsAt?: number;
  /** Text on the end date; undefined while it is far off. */
  readonly endText?: string;
}

/**
 * An admitted change. Its share of the quota is taken, and given back if it is disposed of without {@link
 * keep}.
 */
export interface Admission extends Disposable {
  /** It is done: the VM is there, or has grown. */
  keep(): void;
}

/** A VM that is about to be made. */
export interface WantedVm {
  readonly vmId: string;
  readonly name: string;
  /** Id of its project; undefined for none. */
  readonly project: string | undefined;
}

/**
 * Admits VMs that are created here, or come here. A host hands it out while it takes VMs
 * (`LibvirtHost.requireAdmissions`).
 */
export interface VmAdmissions {
  /**
   * Admits a VM that is about to be made, or comes back, and writes down that it is in the project.
   *
   * @throws {ContractError} QuotaExceeded, StoreUnavailable
   */
  admit(wanted: WantedVm, size: VmSize): Admission;
}

export interface HostProjects {
  /** Id of the project with a name or an id. @throws {ContractError} ProjectNotFound */
  idOf(project: string | undefined): string | undefined;
  /** Id of the project that a VM is, or was, in. */
  projectOf(vmId: string): string | undefined;
  /** Last size of a VM; undefined for one that is in no project. */
  lastSize(vmId: string): VmSize | undefined;
  defaultsOf(projectId: string | undefined): ProjectDefaults;
  /**
   * Sources from which members of a project create VMs. @param project its id or its name @throws
   * {ContractError} ProjectNotFound
   */
  meansOf(project: string): ProjectMeans & { readonly id: string };
  /** Storage pools that some project names: its members put volumes there, under names of theirs. */
  poolsOfMembers(): ReadonlySet<string>;
  /** Refuses what has no room now. Nothing is taken. @throws {ContractError} QuotaExceeded, StoreUnavailable */
  requireRoom(projectId: string | undefined, count: number, each: VmSize): void;
  /**
   * Admits that a VM grows to what is given; what is left out stays.
   *
   * @throws {ContractError} QuotaExceeded, StoreUnavailable
   */
  grow(vm: VM, next: Partial<VmSize>): Admission;
}

const FREE: Admission = { keep: () => {}, [Symbol.dispose]: () => {} };

/** Of a host whose VMs are in no projects. */
export const NO_PROJECTS: HostProjects & VmAdmissions = {
  idOf: () => undefined,
  projectOf: () => undefined,
  lastSize: () => undefined,
  defaultsOf: () => ({}),
  meansOf: (projectId) => {
    throw new ContractError("ProjectNotFound", { projectId });
  },
  poolsOfMembers: () => new Set(),
  requireRoom: () => {},
  admit: () => FREE,
  grow: () => FREE,
};
