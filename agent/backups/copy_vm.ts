/** One VM into a store of backups: its definition, its UEFI variables, its TPM's state, its disks. Whole, or not at all. */
import { sentenceOf } from "../../lib/contract/errors.ts";
import { message, vmName } from "../../lib/i18n/message.ts";
import { digestsIn } from "../../lib/backup/chunk_list.ts";
import { type BackupManifest, CHUNK_BYTES, copyIdAt, MANIFEST_VERSION } from "../../lib/backup/manifest.ts";
import { disksToCopy } from "../../lib/backup/disks.ts";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { encryptedDisks } from "../../lib/formats/xml/backup.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { tpmSecret } from "../../lib/formats/xml/tpm.ts";
import { messageOf } from "../../lib/text/message.ts";
import { log } from "../log.ts";
import type { Steps } from "../operations/operation.ts";
import { keyOf } from "../operations/operation_record.ts";
import { dropQuietly } from "../vm/checkpoints.ts";
import { unknownImageText } from "../vm/snapshots/next_start.ts";
import { readTpmState } from "../vm/lifecycle/tpm_state.ts";
import { digestOf } from "./digest.ts";
import { makeSpool } from "./spool.ts";
import { nvramBytes, type ReadFirmwareState, tpmNotes } from "./firmware_state.ts";
import type { CopyContext } from "./copy_context.ts";
import { IncrementError, ofRunning, ofStopped } from "./copy_disks.ts";

/** A copy that is whole, and what is worth knowing of it. */
export interface Copied {
  readonly manifest: BackupManifest;
  readonly notes: readonly string[];
}

const encode = (text: string) => new TextEncoder().encode(text);

/**
 * Copies a VM.
 *
 * @throws {ContractError} VmNotFound, VmBusy, BackupNotPossible, BackupFailed, what the decision on its images says
 */
export async function copyVm(context: CopyContext, vmId: string): Promise<Copied> {
  const { host, repository, clock } = context;
  const vm = host.requireVm(vmId);
  if (!vm.persistent) {
    throw new ContractError("BackupNotPossible", {
      reason: "it is transient: it disappears when it stops",
    });
  }
  if (host.link.machine === null) {
    throw new ContractError("BackupNotPossible", {
      reason: "KVM Manager has no access to the files of its host",
    });
  }
  const attempt = async (isFull: boolean) => {
    const id = copyIdAt(clock.now(), crypto.randomUUID().slice(0, 8));
    try {
      const keys = [keyOf.backupCopy(id)], { actor } = context.run;
      const spec = { command: "run_backup_now", subject: vm.name, vmId: vm.id, actor, keys } as const;
      return await host.operations.run(spec, (steps) => write({ ...context, isFull }, vm, id, steps));
    } catch (error) {
      await repository.abandon(id).catch((left) =>
        log.warn("what a backup has left could not be removed: the next one does", { id, error: left })
      );
      if (host.inventory.active().includes(vm.id)) {
        await dropQuietly(host, vm, ({ copyId }) => copyId === id);
      }
      throw error;
    }
  };
  try {
    return await attempt(context.isFull);
  } catch (error) {
    if (!(error instanceof IncrementError)) throw explained(error);
    context.job.log(message`${vmName(vm)}: its disks are read in full after all: ${sentenceOf(error)}`);
    if (error.damaged !== undefined) await repository.setAside([error.damaged]);
    return await attempt(true).catch((again) => {
      throw explained(again);
    });
  }
}

/** Errors of the kernel on files of this host, in words for people; errors of a store have them already. */
export function explained(error: unknown): unknown {
  const isOfKernel = error instanceof Error && "code" in error && /^E[A-Z]+$/.test(String(error.code));
  if (!isOfKernel || error instanceof ContractError) return error;
  return new ContractError("BackupFailed", { error: messageOf(error) }, { cause: error });
}

async function write(context: CopyContext, vm: VM, id: string, steps: Steps): Promise<Copied> {
  const { host, repository, backup, run, stateDir } = context;
  const unknown = await unknownImageText(host, vm);
  if (unknown !== undefined) throw new ContractError("BackupNotPossible", { reason: unknown });
  await repository.begin(id);
  const definition = await host.link.call("domainXml", { uuid: vm.id, secure: false, inactive: true });
  const { disks, left } = disksToCopy(vm.disks);
  const secret = encryptedDisks(definition).find((target) => disks.some((disk) => disk.target === target));
  if (secret !== undefined) {
    const reason = `disk ${secret} is encrypted, and its content would be in the folder unencrypted`;
    throw new ContractError("BackupNotPossible", { reason });
  }
  const document = new XmlDocument(definition);
  const look: ReadFirmwareState = async () => ({
    nvram: await nvramBytes(document, vm.name),
    tpm: await readTpmState(host, document, vm.id),
  });
  const isLive = host.inventory.active().includes(vm.id);
  const spoolFor = (needBytes: number) =>
    makeSpool({ host, vm, id, disks, needBytes, isForQemu: isLive, stateDir }, steps);
  const content = isLive
    ? await ofRunning(context, vm, disks, { spoolFor, id, steps, look })
    : await ofStopped(context, vm, disks, { spoolFor, look });
  if (content.disks.some(({ list }) => repository.lacks(digestsIn(list)))) {
    throw new IncrementError(new Error("another VM's copy found content of it damaged"));
  }
  const { nvram, tpm } = content.firmware;
  const files: (readonly [name: string, bytes: Uint8Array<ArrayBuffer>])[] = [];
  const put = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
    files.push([name, bytes]);
    return await digestOf(bytes);
  };
  for (const { target, list } of content.disks) await put(`${target}.chunks`, encode(list));
  const manifest: BackupManifest = {
    format: "kvm-manager-backup",
    version: MANIFEST_VERSION,
    id,
    backup: { id: backup.id, name: backup.name },
    run: { id: run.id, startedAt: run.startedAt, actor: run.actor },
    host: host.inventory.hostname,
    takenAt: content.takenAt,
    vm: { id: vm.id, name: vm.name },
    consistency: content.consistency,
    chunkBytes: CHUNK_BYTES,
    disks: content.disks.map(({ list: _list, ...disk }) => disk),
    definition: await put("domain.xml", encode(definition)),
    ...(nvram && { nvram: await put("nvram", nvram) }),
    ...(tpm && "files" in tpm && {
      tpm: await Promise.all(
        tpm.files.map(async ({ name, bytes }) => ({ name, digest: await put(name, bytes) })),
      ),
    }),
    left: left.map(({ target, reason }) => ({ target, reason })),
    storedBytes: content.storedBytes,
    readBytes: content.readBytes,
  };
  context.job.signal.throwIfAborted();
  await repository.finish(id, files, manifest);
  // The copy is whole: QEMU need not note what changed since earlier ones, nor since those that were never whole.
  if (isLive) await dropQuietly(host, vm, (each) => each.backupId === backup.id && each.copyId !== id);
  const notes = [
    ...content.notes,
    ...tpmNotes(tpm, tpmSecret(document)),
    ...left.map(({ target, reason }) => `Disk ${target} is not in it: ${reason}`),
  ];
  return { manifest, notes };
}
