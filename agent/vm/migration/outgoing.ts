/** VMs that leave this host. libvirt moves those that run; here it is prepared, followed, and told. */
import { message, vmName } from "../../../lib/i18n/message.ts";
import { ContractError, type Input, type Output, type Role, type VM } from "../../../lib/contract/mod.ts";
import { nvramHolder } from "../../../lib/formats/xml/nvram.ts";
import type {
  IncomingDisk,
  MigrationAnswers,
  MigrationFinding,
} from "../../../lib/host/migration_protocol.ts";
import { namesText } from "../../../lib/coverage/coverage.ts";
import { formatBytes, formatRate } from "../../../lib/text/quantity.ts";
import { estimateOf } from "../../../lib/vm/migration_estimate.ts";
import { urlHost } from "../../../lib/text/url_host.ts";
import { messageOf } from "../../../lib/text/message.ts";
import type { DomainMigration, MigratableXml, MigrationProgress } from "../../../ffi/calls/mod.ts";
import type { Principal } from "../../access.ts";
import { sleep } from "../../clock.ts";
import type { LinkedHost } from "../../hosts/linked/linked_host.ts";
import type { LinkedHosts } from "../../hosts/linked/linked_hosts.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { Coverage } from "../../coverage/coverage.ts";
import type { FigureTransfer } from "../../metrics/transfer.ts";
import type { JobHandle, Jobs } from "../../jobs/jobs.ts";
import { log } from "../../log.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { makeFolderAsStep } from "../../operations/made_folder.ts";
import type { Operation } from "../../operations/operation.ts";
import { keyOf, type VmOutgoing } from "../../operations/step.ts";
import { findVolumeAt } from "../../storage/volumes.ts";
import { volumeOfDisk } from "../../storage/disk_path.ts";
import type { OldVolume } from "../../storage/old_volume.ts";
import { fileOf } from "../../storage/volume_steps.ts";
import { dropCheckpoints } from "../checkpoints.ts";
import { isOwnDisk } from "../lifecycle/disk_copies.ts";
import { undefineStopped } from "../lifecycle/undefine.ts";
import { type Belongings, belongingsOf, handOver } from "./hand_over.ts";
import { type LeavingImages, leavingImages, NO_IMAGES } from "./leaving_images.ts";
import { MigrationConversation } from "./conversation.ts";
import {
  chosenPlaces,
  isPossible,
  moveFailure,
  moveTask,
  requirePossible,
  shownDisks,
  shownFindings,
} from "./move.ts";
import { findingText, problem, t, warning } from "./findings.ts";
import { nameOfKey } from "../../hosts/linked/key_name.ts";
import { FolderMarks } from "../../storage/folder_marks.ts";
import { measureDirtyRate, measureLine } from "./estimate.ts";
import { type Movable, requireMovable } from "./movable.ts";
import { checkOutgoing, checkTransport } from "./outgoing_checks.ts";
import { copyOff } from "./outgoing_off.ts";
import { SourceLines, type SourceUris } from "./source_lines.ts";
import { completeMigration } from "./steps.ts";
import { takeLateArrival } from "./late_arrival.ts";

/** Milliseconds between looks how far a move is. */
const LOOK_MS = 500;
const MIB = 1024 ** 2;

type Placing = Pick<
  Input<"migrate_vm">,
  | "vmId"
  | "toHost"
  | "pool"
  | "pools"
  | "networks"
  | "snapshots"
  | "bandwidthMib"
  | "connections"
  | "compression"
  | "directTo"
>;

/** Findings and plan of a move. */
interface Look {
  readonly xml: MigratableXml;
  readonly findings: readonly MigrationFinding[];
  readonly disks: readonly IncomingDisk[];
  /** Bytes of each disk as its guest sees it, by target. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Of one that is off and has snapshots. */
  readonly images: LeavingImages;
}

/** The linked host that is meant. @throws {ContractError} HostNotFound, VmNotMovable */
function targetOf(
  linked: MigrationWorld["linked"],
  host: LibvirtHost,
  { toHost: to }: Placing,
  { via }: Pick<Principal, "via">,
): LinkedHost {
  // The other KVM Manager may have other names for hosts
  if (via === "link") {
    const named = linked.all().find(({ peer }) => nameOfKey(peer.publicKey) === to);
    if (named !== undefined) return named;
    throw new ContractError("VmNotMovable", {
      host: t("migration.that_host"),
      reason: t("migration.no_link_there"),
    });
  }
  const target = linked.served(to);
  if (target !== undefined) return target;
  if (to === host.id || to === host.label) {
    throw new ContractError("VmNotMovable", { host: to, reason: t("migration.same_host") });
  }
  if (host.isServed(to)) {
    throw new ContractError("VmNotMovable", { host: to, reason: t("migration.not_linked") });
  }
  throw new ContractError("HostNotFound", { host: to });
}

/** Bytes of disks as their guest sees them, or will. */
async function sizesOf(
  { link }: LibvirtHost,
  { id: uuid, disks }: VM,
  isOff: boolean,
): Promise<Map<string, number>> {
  const own = disks.filter(isOwnDisk), targets = own.map(({ target }) => target);
  if (isOff) {
    const volumes = await Promise.all(
      own.map(async (disk) => [disk.target, await volumeOfDisk(link, disk)] as const),
    );
    return new Map(
      volumes.flatMap(([target, volume]) => volume === undefined ? [] : [[target, volume.capacity]]),
    );
  }
  if (targets.length === 0) return new Map();
  const found = await link.call("domainDiskSizes", { uuid, targets });
  return new Map(found.map(({ target, capacity }) => [target, capacity]));
}

/** Dependencies of outgoing moves. */
export interface MigrationWorld {
  readonly linked: Pick<LinkedHosts, "served" | "all">;
  readonly coverage: Pick<Coverage, "of">;
  readonly figures: () => Pick<FigureTransfer, "read">;
  /** Runs a move as a task, where it is one already. */
  readonly jobs?: Pick<Jobs, "run">;
}

/** Looks at both hosts. @throws {ContractError} @throws {LibvirtError} */
async function look(
  host: LibvirtHost,
  { vm, isOff }: Movable,
  wish: Placing,
  { stays, users }: Belongings,
  role: Role,
  talk: MigrationConversation,
): Promise<Look> {
  if (host.machine?.isSystem !== true) {
    const xml = { live: "", next: "" };
    return { xml, findings: [problem("source-not-local")], disks: [], sizes: new Map(), images: NO_IMAGES };
  }
  const xml = await host.link.call("domainMigratableXml", { uuid: vm.id });
  const drops = wish.snapshots === "drop", all = isOff ? await leavingImages(host, vm, role) : NO_IMAGES;
  const images = drops ? { ...NO_IMAGES, ofSnapshots: all.ofSnapshots, names: all.names } : all;
  const own = [
    ...await checkOutgoing(host, vm, xml, { isOff, drops }),
    ...images.findings,
    ...stays.length === 0 ? [] : [warning("covered", { things: namesText(stays) })],
    ...users.length === 0 ? [] : [warning("rights", { things: namesText(users) })],
  ];
  const sizes = await sizesOf(host, vm, isOff);
  for (const [target, files] of images.files) {
    sizes.set(target, files.reduce((sum, { bytes }) => sum + bytes, 0));
  }
  await using marks = await FolderMarks.put(vm);
  const { findings, disks, libvirtVersion = 0 } = await talk.ask({
    do: "look",
    vm: {
      vmId: vm.id,
      live: xml.live,
      next: xml.next,
      autostart: vm.autostart,
      isOff,
      disks: vm.disks.filter(({ source }) => source !== undefined).map(({ target, source }) => {
        const mark = marks.beside(source);
        const files = images.files.get(target);
        return {
          target,
          size: sizes.get(target) ?? 0,
          ...(mark && { mark }),
          ...(files && { files: [...files] }),
        };
      }),
      ...chosenPlaces(wish),
    },
  });
  const here = await host.capabilities.libvirtVersion();
  const refused = isOff ? [] : checkTransport(wish, Math.min(here, libvirtVersion));
  return { xml, findings: [...own, ...findings, ...refused], disks, sizes, images };
}

const disksOf = ({ disks, sizes }: Look) => shownDisks(disks, (target) => sizes.get(target));

type MigrationPlan = Output<"get_migration_plan">;

/** Tells whether a VM can move, without measuring for how long. @throws {ContractError} @throws {LibvirtError} */
export async function migrationFit(
  host: LibvirtHost,
  { linked, coverage }: MigrationWorld,
  wish: Placing,
  principal: Principal,
): Promise<Pick<MigrationPlan, "findings" | "disks">> {
  const movable = await requireMovable(host, wish.vmId), target = targetOf(linked, host, wish, principal);
  const belongings = belongingsOf(host, coverage, movable.vm, principal);
  const found = await MigrationConversation.during(
    target,
    principal,
    (talk) => look(host, movable, wish, belongings, principal.role, talk),
  );
  return { findings: shownFindings(found.findings, target.label), disks: disksOf(found) };
}

/** Tells whether a VM can move, and how long that takes. @throws {ContractError} @throws {LibvirtError} */
export async function migrationPlan(
  host: LibvirtHost,
  { linked, coverage }: MigrationWorld,
  wish: Placing,
  principal: Principal,
): Promise<MigrationPlan> {
  const movable = await requireMovable(host, wish.vmId), { vm, isOff } = movable;
  const target = targetOf(linked, host, wish, principal);
  const belongings = belongingsOf(host, coverage, vm, principal);
  const [dirty, { found, line }] = await Promise.all([
    isOff ? undefined : measureDirtyRate(host, vm.id),
    MigrationConversation.during(target, principal, async (talk) => {
      const found = await look(host, movable, wish, belongings, principal.role, talk);
      return { found, line: isOff ? 0 : await measureLine(talk) };
    }),
  ]);
  const estimate = estimateOf({
    line,
    dirty,
    memory: vm.memoryMb * MIB,
    limit: wish.bandwidthMib && wish.bandwidthMib * MIB,
    disks: found.disks.reduce(
      (sum, { target, isShared }) => sum + (isShared ? 0 : found.sizes.get(target) ?? 0),
      0,
    ),
  });
  const { lineBytesPerSecond, dirtyBytesPerSecond = 0, converges } = estimate;
  const slow = isOff || converges ? [] : [
    warning("dirty", { dirty: formatRate(dirtyBytesPerSecond), line: formatRate(lineBytesPerSecond) }),
  ];
  return {
    possible: isPossible(found.findings),
    ...(isPossible(found.findings) && !isOff && { estimate }),
    findings: shownFindings([...found.findings, ...slow], target.label),
    disks: disksOf(found),
    follows: belongings.portable.map(({ name }) => name),
    memoryMb: isOff ? 0 : vm.memoryMb,
  };
}

/** A move under way. */
interface Outgoing {
  readonly host: LibvirtHost;
  readonly vm: VM;
  readonly input: Input<"migrate_vm">;
  readonly talk: MigrationConversation;
  readonly job: JobHandle;
  readonly operation: Operation;
  readonly principal: Principal;
  readonly isOff: boolean;
  readonly belongings: Belongings;
  readonly figures: Pick<FigureTransfer, "read">;
}

/** Volumes whose content is copied. */
async function oldVolumes(
  { link }: LibvirtHost,
  { disks }: VM,
  { disks: placed, images: { ofSnapshots } }: Look,
): Promise<OldVolume[]> {
  const copied = new Set(placed.filter(({ isShared }) => !isShared).map(({ target }) => target));
  const volumes = await Promise.all([
    ...disks.filter(({ target }) => copied.has(target)).map((disk) => volumeOfDisk(link, disk)),
    // Those of shared disks are the other host's now
    ...placed.some(({ isShared }) => isShared) ? [] : ofSnapshots.map((path) => findVolumeAt(link, path)),
  ]);
  return await Promise.all(
    volumes.filter((volume) => volume !== undefined).map(async ({ pool, name, path }) => ({
      pool,
      volume: name,
      path,
      file: await fileOf(link, path),
    })),
  );
}

/** A round of a VM's memory, for people. */
function roundText({ rounds, remainingBytes, memoryRate, downtimeMs }: MigrationProgress): string {
  const names = { round: String(rounds), left: formatBytes(remainingBytes) };
  const rate = memoryRate === null ? "?" : formatRate(memoryRate);
  return downtimeMs === null
    ? t("migration.round", { ...names, rate })
    : t("migration.round_downtime", { ...names, rate, downtime: String(downtimeMs) });
}

/** Transport of memory and disks: through the link, or straight to that host's QEMU. */
function transportOf(
  { directTo }: Pick<Placing, "directTo">,
  { memory, disks }: SourceUris,
): Pick<DomainMigration, "memoryUri" | "disksUri" | "tls"> {
  if (directTo === undefined) return { memoryUri: memory, disksUri: disks, tls: false };
  return { memoryUri: `tcp://${urlHost(directTo)}`, disksUri: null, tls: true };
}

/** Has libvirt move it, and tells how far that is. @throws {LibvirtError} @throws the reason of the job's end */
async function move(
  { host, vm: { id: uuid }, input, job }: Outgoing,
  found: Look,
  ready: MigrationAnswers["prepare"],
  lines: SourceLines,
): Promise<void> {
  const { link, clock } = host, { uris } = lines;
  const over = new AbortController();
  const abort = () => {
    link.call("jobAbort", { uuid }).catch((error) => log.debug("a move could not be ended", { error }));
  };
  let isDowntimeSet = false, rounds = 1;
  const follow = async () => {
    while (!over.signal.aborted) {
      await sleep(clock, LOOK_MS, over.signal);
      try {
        const now = await link.call("migrationProgress", { uuid });
        if (now === null) continue;
        if (input.maxDowntimeMs !== undefined && !isDowntimeSet) {
          await link.call("migrationDowntime", { uuid, ms: input.maxDowntimeMs });
          isDowntimeSet = true;
        }
        if (now.totalBytes > 0) job.progress(Math.min(now.doneBytes, now.totalBytes), now.totalBytes);
        if (now.rounds > rounds) job.log(roundText(now));
        rounds = Math.max(rounds, now.rounds);
      } catch (error) {
        // At the end libvirt has no such VM any more
        log.debug("how far a move is cannot be told", { error });
      }
    }
  };
  job.signal.addEventListener("abort", abort, { once: true });
  const following = follow();
  try {
    await link.call("domainMigrate", {
      uuid,
      to: uris.libvirt,
      ...transportOf(input, uris),
      live: ready.live,
      next: ready.next,
      disks: found.disks.filter(({ isShared }) => !isShared).map(({ target }) => target),
      bandwidth: input.bandwidthMib ?? null,
      autoConverge: input.slowGuest ?? true,
      connections: input.connections ?? null,
      compression: input.compression ?? null,
      // The other host was seen to have the same files
      unsafe: true,
    });
  } finally {
    over.abort();
    job.signal.removeEventListener("abort", abort);
    await following.catch((error) => log.debug("a move is not followed any more", { error }));
  }
}

async function carryOut(outgoing: Outgoing, found: Look): Promise<Output<"migrate_vm">> {
  const { host, vm, input, talk, job, operation, isOff, principal: { name: actor, role } } = outgoing;
  const { host: target } = talk;
  operation.showsAs(job.id);
  job.log(message`${target.label}: making disks, and opening the lines`);
  const ready = await talk.ask({ do: "prepare" });
  const old = input.keepDisks === true ? [] : await oldVolumes(host, vm, found);
  const nvram = nvramHolder(found.xml.next, crypto.randomUUID());
  const late: string[] = [];
  let hasMoved = false;
  try {
    // Moves take them along no more than snapshots: the next backup reads the disks whole
    await dropCheckpoints(host, vm);
    const step: VmOutgoing = {
      kind: "vm-outgoing",
      uuid: vm.id,
      name: vm.name,
      to: target.id,
      old,
      wasRunning: !isOff && vm.state !== "paused",
      wasOff: isOff,
      follows: outgoing.belongings.portable.map(({ name }) => name),
      ...(nvram !== undefined && { nvram }),
    };
    const noted = operation.add<VmOutgoing>(step);
    await makeFolderAsStep(operation, ready.folder, 0o711);
    try {
      await using lines = await SourceLines.open(host, talk, ready, vm.name);
      job.signal.throwIfAborted();
      job.log(message`Moving ${vmName(vm)} to ${target.label}`);
      if (isOff) {
        await copyOff({
          host,
          vm,
          talk,
          job,
          role,
          xml: found.xml.next,
          disks: found.disks,
          sizes: found.sizes,
          images: found.images,
          onDefine: () => noted.know({ mayBeThere: true }, true),
          socket: lines.uris.disksSocket,
          bytesPerSecond: input.bandwidthMib && input.bandwidthMib * MIB,
        });
        if (!await undefineStopped(host, vm.id)) {
          throw new ContractError("MigrationFailed", { error: t("migration.was_started") });
        }
      } else {
        await move(outgoing, found, ready, lines).catch(async (failure) => {
          const note = await takeLateArrival(host, vm.id, talk, failure);
          if (note === undefined) throw failure;
          late.push(note);
        });
      }
    } finally {
      await undefinedIfMissing(hostFiles.remove(ready.folder, { recursive: true }));
    }
    hasMoved = true;
    const { state } = await talk.ask({ do: "end", hasMoved });
    job.log(message`${target.label}: ${vmName(vm)} is ${state}`);
    const told = found.findings.filter(({ isProblem }) => !isProblem).map((each) =>
      findingText(each, target.label)
    );
    const volumes = await completeMigration(host, step, actor);
    const warnings = [
      ...late,
      ...told,
      ...volumes,
      ...await handOver({ ...outgoing, signal: job.signal }, outgoing.belongings),
    ];
    return { toHost: target.id, disks: disksOf(found), warnings };
  } catch (error) {
    if (!hasMoved) {
      // What was made there goes. Where it cannot be told, that host finds out by itself
      await talk.ask({ do: "end", hasMoved }).catch((failure) =>
        log.info("the host that a VM was to move to was not told that it stays", {
          error: messageOf(failure),
        })
      );
    }
    throw moveFailure(error, job.signal);
  }
}

/**
 * Moves a VM, while it runs or is off. It is on exactly one of both hosts; where it is not known which, it is settled later.
 *
 * @throws {ContractError} VmNotFound, VmNotPersistent, HasSavedMemory, VmNotOwner, HostNotFound, VmNotMovable, MigrationFailed, VmBusy, LinkedHostAway, JobCancelled
 */
export async function migrateVm(
  host: LibvirtHost,
  { linked, coverage, figures, jobs = host.jobs }: MigrationWorld,
  input: Input<"migrate_vm">,
  principal: Principal,
): Promise<Output<"migrate_vm">> {
  const { operations } = host, { vmId } = input, actor = principal.name;
  await operations.ready([keyOf.vm(vmId)]);
  const movable = await requireMovable(host, vmId), { vm: known, isOff } = movable;
  const target = targetOf(linked, host, input, principal);
  let output: Output<"migrate_vm"> | undefined;
  await host.claims.operate(known, t("migration.moving"), async () => {
    using talk = await MigrationConversation.begin(target, principal);
    const belongings = belongingsOf(host, coverage, known, principal);
    const found = await look(host, movable, input, belongings, principal.role, talk);
    requirePossible(found.findings, target.label);
    const about = {
      command: "migrate_vm",
      subject: known.name,
      vmId,
      actor,
      keys: [keyOf.vm(vmId)],
    } as const;
    output = await jobs.run(moveTask(known, target.label, actor), (job) =>
      operations.run(
        about,
        (operation) =>
          carryOut({
            host,
            vm: known,
            input,
            talk,
            job,
            operation,
            principal,
            isOff,
            belongings,
            figures: figures(),
          }, found),
      ));
  });
  return output!;
}
