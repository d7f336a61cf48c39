/** VMs that leave this host. libvirt moves those that run; here it is prepared, followed, and told. */
import { message, vmName } from "../../../lib/i18n/message.ts";
import { ContractError, type Input, type Output, type VM } from "../../../lib/contract/mod.ts";
import { nvramHolder } from "../../../lib/formats/xml/nvram.ts";
import type { MigrationAnswers } from "../../../lib/host/migration_protocol.ts";
import { MIB } from "../../../lib/text/byte_units.ts";
import { formatBytes, formatRate } from "../../../lib/text/quantity.ts";
import { urlHost } from "../../../lib/text/url_host.ts";
import { messageOf } from "../../../lib/text/message.ts";
import type { DomainMigration, MigrationProgress } from "../../../ffi/calls/mod.ts";
import type { Principal } from "../../access.ts";
import { sleep } from "../../clock.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { FigureTransfer } from "../../metrics/transfer.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { log } from "../../log.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { makeFolderAsStep } from "../../operations/made_folder.ts";
import type { Operation } from "../../operations/operation.ts";
import type { VmOutgoing } from "../../operations/step.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { findVolumeAt } from "../../storage/volumes.ts";
import { volumeOfDisk } from "../../storage/disk_path.ts";
import type { OldVolume } from "../../storage/old_volume.ts";
import { fileOf } from "../../storage/volume_steps.ts";
import { dropCheckpoints } from "../checkpoints.ts";
import { undefineStopped } from "../lifecycle/undefine.ts";
import { type Belongings, belongingsOf, handOver } from "./hand_over.ts";
import { MigrationConversation } from "./conversation.ts";
import { moveFailure, moveTask, requirePossible } from "./move.ts";
import { findingText, t } from "./findings.ts";
import { requireMovable } from "./movable.ts";
import { copyOff } from "./outgoing_off.ts";
import { SourceLines, type SourceUris } from "./source_lines.ts";
import { completeMigration } from "./steps.ts";
import { takeLateArrival } from "./late_arrival.ts";
import {
  look,
  type MigrationWorld,
  type MoveFacts,
  moveTarget,
  type Placing,
  shownDisksOf,
} from "./outgoing_plan.ts";

/** Milliseconds between looks how far a move is. */
const LOOK_MS = 500;
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
  { disks: placed, images: { ofSnapshots } }: MoveFacts,
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
  found: MoveFacts,
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

async function carryOut(outgoing: Outgoing, found: MoveFacts): Promise<Output<"migrate_vm">> {
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
    return { toHost: target.id, disks: shownDisksOf(found), warnings };
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
  const target = moveTarget(linked, host, input, principal);
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
