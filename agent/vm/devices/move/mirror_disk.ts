/**
 * Copying a disk of a VM that runs: QEMU copies it, follows what the guest writes, and goes over to the copy once both are
 * alike. Whatever happens before that, the VM stays on what it had.
 */
import { message, type Sentence, vmName } from "../../../../lib/i18n/message.ts";
import { ContractError, type VM } from "../../../../lib/contract/mod.ts";
import { copyGoalXml } from "../../../../lib/formats/xml/block_copy.ts";
import { sleep } from "../../../clock.ts";
import type { LibvirtHost } from "../../../hosts/libvirt_host.ts";
import type { JobHandle } from "../../../jobs/jobs.ts";
import { isConnectionLost } from "../../../libvirt/failure.ts";
import type { Noted, Steps } from "../../../operations/operation.ts";
import type { DiskMoved } from "../../../operations/step.ts";
import { placesOfDisk } from "./definitions.ts";
import { requireReachable } from "../../../storage/reachable.ts";

/** Milliseconds between looks at a copy. */
const LOOK_MS = 300;
/** Milliseconds that libvirt may be away meanwhile: QEMU goes on without it. */
const AWAY_MS = 60_000;

/** A copy of a disk by QEMU, into a volume that is there. */
export interface DiskMirror {
  readonly host: LibvirtHost;
  readonly vm: VM;
  readonly step: DiskMoved;
  readonly job: JobHandle;
  readonly steps: Steps;
}

const failed = ({ step: { target } }: DiskMirror, error: Sentence, cause?: unknown) =>
  new ContractError("DiskMoveFailed", { target, error }, { cause });

/** Claims the VM as soon as no operation runs on it. @throws the reason of the job's end */
async function claimWhenFree({ host, vm, job: { signal } }: DiskMirror): Promise<Disposable> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return host.claims.take(vm, "moving a disk");
    } catch (error) {
      if (!(error instanceof ContractError) || error.code !== "VmBusy") throw error;
    }
    await sleep(host.clock, LOOK_MS, signal);
  }
}

/** The step, once it is written down. */
class NotedMove {
  #isPivoting = false;

  constructor(private readonly noted: Noted<DiskMoved>) {}

  /** QEMU was told to go over to the copy, or is just told. */
  get isPivoting(): boolean {
    return this.#isPivoting;
  }

  /** Writes down that it is told. */
  pivots(): void {
    this.noted.know({ isPivoting: true }, true);
    this.#isPivoting = true;
  }
}

/** Begins. @throws {ContractError} DiskMoveFailed @throws {LibvirtError} */
async function begin(copy: DiskMirror): Promise<NotedMove> {
  const { host, step, steps } = copy, { uuid, target, from, to } = step;
  using _claim = await claimWhenFree(copy);
  if ((await placesOfDisk(host, step))?.live !== from.path) {
    throw failed(copy, "the VM was stopped or changed meanwhile");
  }
  const noted = new NotedMove(steps.add<DiskMoved>(step));
  const xml = copyGoalXml(to);
  await requireReachable(host, xml);
  await host.link.call("blockCopy", { uuid, target, xml });
  return noted;
}

/** Whether QEMU has copied all, and writes to both. */
async function isReady(host: LibvirtHost, step: DiskMoved): Promise<boolean> {
  const mirror = (await placesOfDisk(host, step))?.mirror;
  return mirror !== undefined && mirror.isReady && mirror.path === step.to.path;
}

/** Waits for the end of QEMU's job. @param claimed keeps others off the VM from the change on */
async function follow(copy: DiskMirror, noted: NotedMove, claimed: DisposableStack): Promise<void> {
  const { host: { link, clock }, host, step, job } = copy, { uuid, target } = step;
  let awaySince: number | undefined;
  for (;;) {
    await sleep(clock, LOOK_MS, noted.isPivoting ? undefined : job.signal);
    if (!noted.isPivoting) job.signal.throwIfAborted();
    try {
      const now = await link.call("blockJobNow", { uuid, target });
      awaySince = undefined;
      if (now === null) return;
      if (now.total > 0) job.progress(Math.min(now.done, now.total), now.total);
      if (now.total === 0 || now.done < now.total || !await isReady(host, step)) continue;
      if (!noted.isPivoting) {
        claimed.use(await claimWhenFree(copy));
        job.log(message`Both are alike: ${vmName(copy.vm)} goes over to ${step.to.path}`);
        noted.pivots();
      }
      if (await link.call("blockJobPivot", { uuid, target })) return;
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      awaySince ??= clock.monotonic();
      if (clock.monotonic() - awaySince > AWAY_MS) throw error;
    }
  }
}

/**
 * Copies the disk, and has QEMU go over to the copy.
 *
 * @returns a lock that keeps other operations off the VM until it is disposed of
 * @throws {ContractError} DiskMoveFailed, the reason of the job's end @throws {LibvirtError}
 */
export async function mirrorDisk(copy: DiskMirror): Promise<Disposable> {
  const { host, vm, step, job } = copy;
  using claimed = new DisposableStack();
  const noted = await begin(copy);
  let cause: unknown;
  try {
    await follow(copy, noted, claimed);
  } catch (error) {
    if (job.signal.aborted || isConnectionLost(error)) throw error;
    // libvirt tells in many ways of a VM that has just stopped.
    cause = error;
  }
  const places = await placesOfDisk(host, step);
  if (places?.live === step.to.path) return claimed.move();
  await host.reread(vm);
  if (noted.isPivoting) {
    const error =
      `QEMU ended while it went over to ${step.to.path}. Where that is still there, it may have what was ` +
      `written last: start the VM with it and with ${step.from.path} in turn, and keep the one whose data is right`;
    throw failed(copy, error, cause);
  }
  if (!places?.isOn) throw failed(copy, "the VM stopped while it was copied", cause);
  throw cause ?? failed(copy, "QEMU ended the copy before it was whole");
}
