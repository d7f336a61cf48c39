/**
 * The VMs of each project, their usage, and the one function that admits more. It is kept in the database: the owner of
 * a VM can edit its libvirt metadata.
 */
import {
  ContractError,
  type ProjectDefaults,
  type ProjectUsage,
  type VM,
  type VmProject,
} from "../../lib/contract/mod.ts";
import { may, type Rights, type VmObject } from "../../lib/access/rights.ts";
import {
  type Counted,
  figureText,
  largerSize,
  misfitOf,
  NO_USAGE,
  sizeOfVm,
  sumOf,
  type VmSize,
} from "../../lib/projects/quota.ts";
import type { ProjectMeans } from "../../lib/projects/new_vm.ts";
import { endText } from "../../lib/projects/end_date.ts";
import type { Admission, HostProjects, Membership, VmAdmissions, WantedVm } from "../hosts/projects.ts";
import type { Clock } from "../clock.ts";
import { log } from "../log.ts";
import { JsonRows } from "../store/json_rows.ts";
import type { Store } from "../store/store.ts";
import type { StoredProject, StoredVm } from "./records.ts";

const DAY_MS = 86_400_000;
/** Milliseconds within which a VM that was made, or has grown, is read; until then it counts as it was admitted. */
const READ_MS = 10_000;

const FREE: Admission = { keep: () => {}, [Symbol.dispose]: () => {} };

/** Lookups of VMs. */
export interface ProjectWorld {
  /** A VM that is there and was read. */
  vm(vmId: string): VM | undefined;
  /** Whether a VM is there as far as is known, on a host that cannot be read now. */
  isAway(vmId: string): boolean;
  /** Whether disks of a deleted VM are in the bin. */
  hasDisksInBin(vmId: string): boolean;
  /** The project or the end date of a VM is another one: who lists it is told. */
  changed(vmId: string): void;
}

/** A VM of a project, with what it counts for. */
export interface ProjectVm {
  readonly row: StoredVm;
  readonly vm: VM | undefined;
  readonly counted: Counted;
}

export class Projects implements HostProjects, VmAdmissions {
  readonly rows: JsonRows<StoredProject>;
  /** Told of a project that was deleted. Set by the feature of profiles. */
  onDeleted: (projectId: string) => void = () => {};
  readonly #vms: JsonRows<StoredVm>;
  /** VMs that are being made, or come back. */
  readonly #making = new Set<string>();
  /** Sizes that VMs are about to grow to. */
  readonly #growing = new Map<string, Set<VmSize>>();
  /** Sizes that VMs have grown to, until they were read. */
  readonly #grown = new Map<string, VmSize>();

  constructor(store: Store, private readonly world: ProjectWorld, private readonly clock: Clock) {
    this.rows = new JsonRows<StoredProject>(store, "projects");
    this.#vms = new JsonRows<StoredVm>(store, "project_vms");
  }

  /** @throws {ContractError} ProjectNotFound, StoreUnavailable */
  require(project: string): StoredProject {
    const rows = this.rows.require();
    const found = rows.get(project) ?? rows.all().find(({ name }) => name === project);
    if (found === undefined) throw new ContractError("ProjectNotFound", { projectId: project.slice(0, 64) });
    return found;
  }

  idOf(project: string | undefined): string | undefined {
    return project === undefined ? undefined : this.require(project).id;
  }

  /** Id of a project that somebody sees. @throws {ContractError} ProjectNotFound, also for one that they do not see */
  visible(project: string, rights: Rights): string {
    const { id } = this.require(project);
    const seen: VmObject = { vmId: "", project: id, hostId: undefined };
    if (may(rights, "vms.view", seen)) return id;
    throw new ContractError("ProjectNotFound", { projectId: project.slice(0, 64) });
  }

  /** Id of a VM's project, also while it is in the bin. */
  projectOf(vmId: string): string | undefined {
    const id = this.#vms.get(vmId)?.project ?? undefined;
    return id !== undefined && this.rows.get(id) !== undefined ? id : undefined;
  }

  lastSize(vmId: string): VmSize | undefined {
    const row = this.#vms.get(vmId);
    if (row === undefined) return undefined;
    const vm = this.world.vm(vmId);
    return vm === undefined ? row.size : sizeOfVm(vm, row.size);
  }

  defaultsOf(projectId: string | undefined): ProjectDefaults {
    return projectId === undefined ? {} : this.require(projectId).defaults;
  }

  meansOf(project: string): ProjectMeans & { readonly id: string } {
    const { id, name, pools, networks, images, defaults } = this.require(project);
    return { id, name, pools: [...pools], networks: [...networks], images: [...images], defaults };
  }

  poolsOfMembers(): ReadonlySet<string> {
    return new Set(this.rows.all().flatMap(({ pools }) => pools));
  }

  membershipOf(vmId: string): Membership {
    const row = this.#vms.get(vmId);
    if (row === undefined) return {};
    const project = row.project === null ? undefined : this.rows.get(row.project);
    const { endsAt, told } = row;
    return {
      ...(project !== undefined && { project: { id: project.id, name: project.name } }),
      ...(endsAt !== null && { endsAt }),
      ...(endsAt !== null && told !== null && { endText: endText(endsAt, told) }),
    };
  }

  /** Records of VMs, those with an end date alone included. */
  kept(): readonly StoredVm[] {
    return this.#vms.all();
  }

  get(vmId: string): StoredVm | undefined {
    return this.#vms.get(vmId);
  }

  /** The VMs of a project, those of the bin included. */
  vmsOf(projectId: string): ProjectVm[] {
    return this.#vms.all().filter(({ project }) => project === projectId).map((row) => ({
      row,
      vm: this.world.vm(row.id),
      counted: this.#counted(row),
    })).filter(({ counted }) => counted !== NO_USAGE);
  }

  usageOf(projectId: string): ProjectUsage {
    const all = this.vmsOf(projectId).map(({ counted }) => counted);
    return { ...sumOf(all), binDiskGb: sumOf(all.filter(({ vms }) => vms === 0)).diskGb };
  }

  /** Size that a VM counts with: in the bin its disks alone, and nothing once it is gone. */
  #counted(row: StoredVm): Counted {
    const { id, size } = row, vm = this.world.vm(id);
    const last = this.#grown.get(id);
    const grown = [...this.#growing.get(id) ?? [], ...last === undefined ? [] : [last]];
    if (vm !== undefined) {
      // What waits for its next start is its own already
      const isWaiting = vm.state !== "stopped" && vm.pendingChanges !== 0;
      const now = sizeOfVm(vm, size), kept = isWaiting || this.#making.has(id) ? largerSize(now, size) : now;
      return { vms: 1, ...grown.reduce(largerSize, kept) };
    }
    if (this.#making.has(id) || this.world.isAway(id)) return { vms: 1, ...grown.reduce(largerSize, size) };
    return this.world.hasDisksInBin(id) ? { ...NO_USAGE, diskGb: size.diskGb } : NO_USAGE;
  }

  /**
   * The one place where it is decided whether something fits: no call waits in between, so no two are decided together.
   *
   * @param vmId undefined for VMs that are not there yet
   * @throws {ContractError} QuotaExceeded, StoreUnavailable
   */
  #requireRoom(projectId: string, vmId: string | undefined, next: Counted): void {
    const project = this.require(projectId);
    const others = this.vmsOf(projectId).filter(({ row }) => row.id !== vmId).map(({ counted }) => counted);
    const row = vmId === undefined ? undefined : this.#vms.get(vmId);
    const before = row?.project === projectId ? this.#counted(row) : NO_USAGE;
    const misfit = misfitOf(project.quota, sumOf(others), before, next);
    if (misfit === undefined) return;
    const { field, limit, requested } = misfit;
    throw new ContractError("QuotaExceeded", {
      project: project.name,
      limit: figureText(field, limit),
      requested: figureText(field, requested),
    });
  }

  requireRoom(projectId: string | undefined, count: number, { cpus, memoryMb, diskGb }: VmSize): void {
    if (projectId === undefined) return;
    const all = { vms: count, cpus: cpus * count, memoryMb: memoryMb * count, diskGb: diskGb * count };
    this.#requireRoom(projectId, undefined, all);
  }

  admit({ vmId, name, project }: WantedVm, size: VmSize): Admission {
    if (project === undefined) return FREE;
    this.#requireRoom(project, vmId, { vms: 1, ...size });
    const before = this.#vms.get(vmId), { days } = this.defaultsOf(project);
    const endsAt = before === undefined
      ? days === undefined ? null : this.clock.now() + days * DAY_MS
      : before.endsAt;
    // Before the VM is there: a kill in between leaves no VM that counts for nothing
    this.#vms.put({ id: vmId, name, project, size, endsAt, told: before?.told ?? null });
    this.#making.add(vmId);
    let isKept = false;
    return {
      keep: () => void (isKept = true),
      [Symbol.dispose]: () => {
        if (isKept && this.world.vm(vmId) === undefined) {
          this.clock.after(READ_MS, () => this.#making.delete(vmId));
        } else this.#making.delete(vmId);
        if (!isKept && before === undefined) this.#vms.remove(vmId);
        else if (!isKept) this.#vms.keep(before!);
        this.world.changed(vmId);
      },
    };
  }

  grow(vm: VM, wanted: Partial<VmSize>): Admission {
    const row = this.#vms.get(vm.id), project = this.projectOf(vm.id);
    if (row === undefined || project === undefined) return FREE;
    // Nothing else is done to a VM meanwhile: what it grew to before was read
    this.#grown.delete(vm.id);
    const now = this.#counted(row), next = largerSize(now, { ...now, ...wanted });
    this.#requireRoom(project, vm.id, { vms: 1, ...next });
    const growing = this.#growing.get(vm.id) ?? new Set();
    this.#growing.set(vm.id, growing.add(next));
    // What waits for the next start is known by this alone
    this.#vms.put({ ...row, size: next });
    let isKept = false;
    return {
      keep: () => void (isKept = true),
      [Symbol.dispose]: () => {
        growing.delete(next);
        if (growing.size === 0) this.#growing.delete(vm.id);
        if (isKept) return this.#hold(vm.id, now, next);
        const kept = this.#vms.get(vm.id);
        if (kept !== undefined) this.#vms.keep({ ...kept, size: row.size });
      },
    };
  }

  /** Counts what a VM has grown to until it was read. */
  #hold(vmId: string, before: VmSize, next: VmSize): void {
    const isLarger = next.cpus > before.cpus || next.memoryMb > before.memoryMb ||
      next.diskGb > before.diskGb;
    if (!isLarger) return;
    this.#grown.set(vmId, next);
    this.clock.after(READ_MS, () => {
      if (this.#grown.get(vmId) === next) this.#grown.delete(vmId);
    });
  }

  /**
   * Puts a VM that is there into a project, or out of its own.
   *
   * @throws {ContractError} ProjectNotFound, QuotaExceeded, StoreUnavailable
   */
  move(vm: VM, project: string | undefined): VmProject | null {
    const to = project === undefined ? undefined : this.require(project),
      before = this.#vms.require().get(vm.id);
    const size = sizeOfVm(vm, before?.size ?? { diskGb: 0 });
    const kept = before === undefined || vm.state === "stopped" || vm.pendingChanges === 0
      ? size
      : largerSize(size, before.size);
    if (to !== undefined && before?.project !== to.id) this.#requireRoom(to.id, vm.id, { vms: 1, ...kept });
    if (to === undefined && (before === undefined || before.endsAt === null)) this.#vms.remove(vm.id);
    else {
      this.#vms.put({
        id: vm.id,
        name: vm.name,
        project: to?.id ?? null,
        size: kept,
        endsAt: before?.endsAt ?? null,
        told: before?.told ?? null,
      });
    }
    this.world.changed(vm.id);
    return to === undefined ? null : { id: to.id, name: to.name };
  }

  /** Sets the end date of a VM. @throws {ContractError} StoreUnavailable */
  setEnd(vm: VM, endsAt: number | null): void {
    const before = this.#vms.require().get(vm.id);
    if (endsAt === null && (before === undefined || before.project === null)) this.#vms.remove(vm.id);
    else {
      const size = before?.size ?? sizeOfVm(vm, { diskGb: 0 });
      this.#vms.put({ id: vm.id, name: vm.name, project: before?.project ?? null, size, endsAt, told: null });
    }
    this.world.changed(vm.id);
  }

  /** Keeps how far an end date was told. */
  tell(row: StoredVm, told: StoredVm["told"]): void {
    this.#vms.put({ ...row, told });
    this.world.changed(row.id);
  }

  /** Another VM has the id, or the VM is nowhere any more. @returns the name of the project that it was in */
  forget(vmId: string): string | undefined {
    const row = this.#vms.get(vmId);
    if (row === undefined) return undefined;
    this.#vms.remove(vmId);
    return row.project === null
      ? "its end date"
      : `the project ${this.rows.get(row.project)?.name ?? row.project}`;
  }

  /** Takes note of what VMs have now, so that it is known while they are away, or in the bin. */
  note(): void {
    for (const row of this.#vms.all()) {
      const vm = this.world.vm(row.id);
      if (
        vm === undefined || this.#making.has(row.id) || this.#growing.has(row.id) ||
        this.#grown.has(row.id)
      ) continue;
      const { vms: _one, ...size } = this.#counted(row), { name } = vm;
      if (JSON.stringify({ size, name }) === JSON.stringify({ size: row.size, name: row.name })) continue;
      this.#vms.keep({ ...row, size, name });
    }
  }

  /** Forgets VMs that are nowhere. @param isKnown whether a VM is, or was, known */
  sweep(isKnown: (vmId: string) => boolean): void {
    for (const { id, name } of this.#vms.all()) {
      if (this.#making.has(id) || this.world.vm(id) !== undefined || this.world.isAway(id)) continue;
      if (this.world.hasDisksInBin(id) || isKnown(id)) continue;
      log.info("a VM of a project was never made, and is left out", { vm: name });
      this.#vms.remove(id);
    }
  }

  /** Deletes a project. Its VMs stay, without one. @throws {ContractError} StoreUnavailable */
  delete(projectId: string): void {
    const own = this.#vms.require().all().filter(({ project }) => project === projectId);
    for (const row of own) {
      if (row.endsAt === null) this.#vms.remove(row.id);
      else this.#vms.put({ ...row, project: null });
    }
    this.rows.remove(projectId);
    this.onDeleted(projectId);
    for (const { id } of own) this.world.changed(id);
  }

  /** Its name is another one. */
  renamed(projectId: string): void {
    for (const { id } of this.#vms.all().filter(({ project }) => project === projectId)) {
      this.world.changed(id);
    }
  }
}
