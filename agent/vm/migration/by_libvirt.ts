/**
 * Moves of VMs that are off between hosts of this KVM Manager of which one, or each, is reached by its libvirt alone. Disks go by the
 * streams of both libvirts. Until the VM is gone from the host that it leaves, all that was made on the other one is taken back.
 */
import { ContractError, type Input, type Output, type VM } from "../../../lib/contract/mod.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { placedDefinition, type PlacedDisk } from "../../../lib/formats/xml/migration.ts";
import { nvramPath } from "../../../lib/formats/xml/nvram.ts";
import { child } from "../../../lib/formats/xml/tree.ts";
import type { IncomingVm, MigrationFinding } from "../../../lib/host/migration_protocol.ts";
import { message, vmName } from "../../../lib/i18n/message.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import type { MigratableXml } from "../../../ffi/calls/mod.ts";
import type { Principal } from "../../access.ts";
import type { Coverage } from "../../coverage/coverage.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { VmAdmissions } from "../../hosts/projects.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import type { Operation } from "../../operations/operation.ts";
import type { VmIncoming } from "../../operations/step.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { commandCallerOf, type CopyServices, HostCopy } from "../../storage/copy_to_host.ts";
import { volumeOfDisk } from "../../storage/disk_path.ts";
import { type OldVolume, removeOldVolume } from "../../storage/old_volume.ts";
import { requirePlaces } from "../../storage/volume_checks.ts";
import { fileOf, makeVolume } from "../../storage/volume_steps.ts";
import { findVolumeNamed, type PoolVolume } from "../../storage/volumes.ts";
import { dropCheckpoints } from "../checkpoints.ts";
import { isOwnDisk } from "../lifecycle/disk_copies.ts";
import { undefineStopped } from "../lifecycle/undefine.ts";
import { scan } from "../snapshots/scan.ts";
import { findingText, problem, t, warning } from "./findings.ts";
import { belongingsOf } from "./hand_over.ts";
import { checkIncoming } from "./incoming_checks.ts";
import { type CopiedHere, type IncomingDisks, placeDisks } from "./incoming_disks.ts";
import { requireMovable } from "./movable.ts";
import {
  chosenPlaces,
  isPossible,
  moveFailure,
  moveTask,
  networksByName,
  requirePossible,
  shownDisks,
  shownFindings,
} from "./move.ts";
import { checkOutgoing } from "./outgoing_checks.ts";
import { namesText } from "../../../lib/coverage/coverage.ts";

/** Both hosts. */
export interface HostPair {
  readonly from: LibvirtHost;
  readonly to: LibvirtHost;
}

/** Dependencies of moves that libvirt carries out. */
export interface LibvirtMoveWorld {
  readonly copies: CopyServices;
  readonly coverage: Pick<Coverage, "of">;
}

type Placing = Pick<Input<"migrate_vm">, "vmId" | "pool" | "pools" | "networks">;

/** Findings and plan of a move. */
interface Look {
  readonly xml: MigratableXml;
  readonly findings: readonly MigrationFinding[];
  readonly placed: IncomingDisks;
  /** By target, those whose content is copied. */
  readonly volumes: ReadonlyMap<string, PoolVolume>;
}

/** Findings about parts of a VM that libvirt does not hand out of its host. */
async function checkKept({ from }: HostPair, vm: VM, xml: string): Promise<MigrationFinding[]> {
  const document = new XmlDocument(xml), snapshots = (await scan(from, vm)).map(({ name }) => name);
  const hasState = nvramPath(document) !== undefined ||
    child(document.find("devices"), "tpm") !== undefined;
  return [
    ...snapshots.length === 0 ? [] : [problem("agentless-snapshots", { snapshots: snapshots.join(", ") })],
    ...hasState ? [problem("agentless-state")] : [],
  ];
}

/** The volumes of its own disks, and what keeps them from being copied. */
async function volumesOf({ from }: HostPair, vm: VM) {
  const volumes = new Map<string, PoolVolume>(), findings: MigrationFinding[] = [];
  for (const disk of vm.disks.filter((each) => isOwnDisk(each) && each.type !== "network")) {
    const { target, source: path = "" } = disk, volume = await volumeOfDisk(from.link, disk);
    if (volume === undefined) findings.push(problem("agentless-disk", { target, path }));
    else if (volume.backing !== undefined) {
      findings.push(problem("agentless-base", { target, path: volume.backing.path }));
    } else volumes.set(target, volume);
  }
  return { volumes, findings };
}

/** Images are copied as they are: a pool that keeps no files takes none in a format of files. */
const checkFormats = (disks: readonly CopiedHere[], xml: string): MigrationFinding[] => {
  const formats = new Map(summarizeDomain(xml).disks.map(({ target, format }) => [target, format]));
  return disks.filter(({ target, format }) => (formats.get(target) ?? "raw") !== format)
    .map(({ target, pool }) => problem("agentless-format", { target, pool }));
};

/** Looks at both hosts. @throws {ContractError} @throws {LibvirtError} */
async function look(
  pair: HostPair,
  vm: VM,
  isOff: boolean,
  wish: Placing,
  stays: readonly string[],
): Promise<Look> {
  const { from, to } = pair, xml = await from.link.call("domainMigratableXml", { uuid: vm.id });
  if (!isOff) {
    const placed = { findings: [], disks: [], copied: [] };
    return { xml, findings: [problem("agentless-live")], placed, volumes: new Map() };
  }
  const { volumes, findings } = await volumesOf(pair, vm);
  const wanted: IncomingVm = {
    vmId: vm.id,
    live: xml.next,
    next: xml.next,
    autostart: vm.autostart,
    isOff,
    disks: [...volumes].map(([target, { capacity: size }]) => ({ target, size })),
    ...chosenPlaces(wish),
  };
  const placed = await placeDisks(to, wanted);
  return {
    xml,
    placed,
    volumes,
    findings: [
      ...await checkOutgoing(from, vm, xml, { isOff, drops: false }),
      ...await checkKept(pair, vm, xml.next),
      ...findings,
      ...await checkIncoming(to, wanted),
      ...placed.findings,
      ...checkFormats(placed.copied, xml.next),
      ...stays.length === 0 ? [] : [warning("covered", { things: namesText(stays) })],
    ],
  };
}

const disksOf = ({ placed, volumes }: Look) =>
  shownDisks(placed.disks, (target) => volumes.get(target)?.capacity);

/** Names of the objects that belong to the VM: all of them stay with the host that it leaves. */
function staysOf({ coverage }: LibvirtMoveWorld, { from }: HostPair, vm: VM, principal: Principal): string[] {
  const { portable, stays, users } = belongingsOf(from, coverage, vm, principal);
  return [...portable.map(({ name }) => name), ...stays, ...users];
}

/** Tells whether a VM can move. @throws {ContractError} @throws {LibvirtError} */
export async function planByLibvirt(
  world: LibvirtMoveWorld,
  pair: HostPair,
  wish: Placing,
  principal: Principal,
): Promise<Output<"get_migration_plan">> {
  pair.to.requireFilled();
  const { vm, isOff } = await requireMovable(pair.from, wish.vmId);
  const found = await look(pair, vm, isOff, wish, staysOf(world, pair, vm, principal));
  return {
    possible: isPossible(found.findings),
    findings: shownFindings(found.findings, pair.to.label),
    disks: disksOf(found),
    follows: [],
    memoryMb: isOff ? 0 : vm.memoryMb,
  };
}

/** Copies a disk as a volume of the other host. */
async function copyDisk(
  { copies }: LibvirtMoveWorld,
  { from, to }: HostPair,
  source: PoolVolume,
  { pool, volume: name }: CopiedHere,
  { job, operation, principal }: Pick<Work, "job" | "operation" | "principal">,
): Promise<PoolVolume> {
  job.log(message`Copy ${source.name} to ${to.label}`);
  return await makeVolume(to.link, operation, { pool, name }, async () => {
    const plan = {
      from: { host: from.id, pool: source.pool, volume: source.name },
      to: { host: to.id, pool, volume: name },
    };
    using copy = new HostCopy(commandCallerOf(copies, principal), plan, job);
    try {
      await copy.run();
    } catch (error) {
      await copy.undo();
      throw error;
    }
    const made = await findVolumeNamed(to.link, pool, name);
    if (made === undefined) throw new ContractError("VolumeNotFound", { pool, name });
    return made;
  });
}

interface Work {
  readonly vm: VM;
  readonly job: JobHandle;
  readonly operation: Operation;
  readonly principal: Principal;
  readonly admissions: VmAdmissions;
}

/** Makes the VM on the other host, and takes it away from here. */
async function carryOut(
  world: LibvirtMoveWorld,
  pair: HostPair,
  work: Work,
  found: Look,
  networks: Placing["networks"],
) {
  const { from, to } = pair, { vm, job, operation } = work, { copied } = found.placed;
  operation.showsAs(job.id);
  const diskBytes = copied.reduce((sum, { size }) => sum + size, 0);
  using admission = work.admissions.admit(
    { vmId: vm.id, name: vm.name, project: to.projects.projectOf(vm.id) },
    { cpus: vm.cpuCount, memoryMb: vm.memoryMb, diskGb: diskBytes / GIB },
  );
  await requirePlaces(to, copied.map(({ pool, size: bytes }) => ({ pool, bytes })));
  const disks: PlacedDisk[] = [];
  for (const disk of copied) {
    const { target, format } = disk;
    const made = await copyDisk(world, pair, found.volumes.get(target)!, disk, work);
    disks.push({ target, format, path: made.path, type: made.type === "block" ? "block" : "file" });
  }
  job.signal.throwIfAborted();
  const xml = placedDefinition(
    found.xml.next,
    disks,
    networksByName(networks),
  );
  await dropCheckpoints(from, vm);
  operation.add<VmIncoming>({ kind: "vm-incoming", uuid: vm.id, name: vm.name, leaves: from.id });
  job.log(message`Moving ${vmName(vm)} to ${to.label}`);
  await to.link.call("domainDefineXml", { xml, unchecked: true });
  if (vm.autostart) await to.link.call("domainSetAutostart", { uuid: vm.id, autostart: true });
  if (!await undefineStopped(from, vm.id)) {
    throw new ContractError("MigrationFailed", { error: t("migration.was_started") });
  }
  admission.keep();
}

/**
 * Moves a VM that is off.
 *
 * @throws {ContractError} VmNotFound, VmNotPersistent, HasSavedMemory, VmNotOwner, VmNotMovable, MigrationFailed, VmBusy, JobCancelled
 */
export async function moveByLibvirt(
  world: LibvirtMoveWorld,
  pair: HostPair,
  input: Input<"migrate_vm">,
  principal: Principal,
): Promise<Output<"migrate_vm">> {
  const { from, to } = pair, { vmId } = input, actor = principal.name;
  to.requireFilled();
  await from.operations.ready([keyOf.vm(vmId)]);
  await to.operations.ready([keyOf.vm(vmId)]);
  const { vm, isOff } = await requireMovable(from, vmId);
  let output: Output<"migrate_vm"> | undefined;
  await from.claims.operate(vm, t("migration.moving"), async () => {
    const found = await look(pair, vm, isOff, input, staysOf(world, pair, vm, principal));
    requirePossible(found.findings, to.label);
    const admissions = to.requireAdmissions();
    using _slot = to.arrivals.take();
    const old: OldVolume[] = [];
    for (const { pool, name: volume, path } of found.volumes.values()) {
      old.push({ pool, volume, path, file: await fileOf(from.link, path) });
    }
    const about = {
      command: "migrate_vm",
      subject: vm.name,
      vmId,
      actor,
      keys: [
        keyOf.vm(vmId),
        keyOf.vmName(vm.name),
        ...found.placed.copied.map(({ pool, volume }) => keyOf.volume(pool, volume)),
      ],
    } as const;
    output = await from.jobs.run(moveTask(vm, to.label, actor), async (job) => {
      try {
        await to.operations.run(
          about,
          (operation) =>
            carryOut(world, pair, { vm, job, operation, principal, admissions }, found, input.networks),
        );
      } catch (error) {
        throw moveFailure(error, job.signal);
      }
      for (const host of [from, to]) await host.inventory.refresh(vmId);
      for (const pool of new Set(found.placed.copied.map((each) => each.pool))) {
        await to.inventory.storage.volumes(pool);
      }
      const warnings = found.findings.map((each) => findingText(each, to.label));
      for (const volume of input.keepDisks === true ? [] : old) {
        const { isThere = true, reason } = await removeOldVolume(from, volume, actor);
        if (isThere) warnings.push(t("migration.volume_stays", { path: volume.path, reason: reason ?? "" }));
      }
      return { toHost: to.id, disks: disksOf(found), warnings };
    });
  });
  return output!;
}
