/** Moving a VM's disk to another storage pool: copied, named by the definitions, and only then taken from where it was. */
import { message, vmName } from "../../../../lib/i18n/message.ts";
import { ContractError, type Input, type Output, type Role } from "../../../../lib/contract/mod.ts";
import { messageOf } from "../../../../lib/text/message.ts";
import type { Principal } from "../../../access.ts";
import type { LibvirtHost } from "../../../hosts/libvirt_host.ts";
import type { JobHandle } from "../../../jobs/jobs.ts";
import { ToolError } from "../../../libvirt/failure.ts";
import type { Operation } from "../../../operations/operation.ts";
import { t } from "../../../operations/outcome.ts";
import type { DiskMoved, MovedImage } from "../../../operations/step.ts";
import { keyOf } from "../../../operations/operation_record.ts";
import { checkImage } from "../../../storage/disk_images/check.ts";
import { makeDiskImage } from "../../../storage/disk_of_volume.ts";
import { fileOf } from "../../../storage/volume_steps.ts";
import { findVolumeNamed, type PoolVolume } from "../../../storage/volumes.ts";
import { dropCheckpoints, ownCheckpoints } from "../../checkpoints.ts";
import { makeTarget, sizesOf } from "../../lifecycle/clone_running.ts";
import { deviceError } from "../configurations.ts";
import { mirrorDisk } from "./mirror_disk.ts";
import { nameImage, placesOfDisk } from "./definitions.ts";
import { movable, type MovePlan, planMove } from "./plan.ts";
import { completeMove } from "./settle.ts";
import { wasWritten, writtenAt } from "./steps.ts";

/** The task and the operation that a move is a part of. */
interface MoveWork {
  readonly job: JobHandle;
  readonly operation: Operation;
  readonly role: Role;
}

/** The new volume, as the VM is to have it. @throws {ContractError} DiskNotMovable */
function imageOf({ target, copy: { source, used } }: MovePlan, made: PoolVolume): MovedImage {
  const { pool, name: volume, path, type } = made;
  if (type === "file" || type === "block") {
    return { pool, volume, path, type, format: used === "qcow2" ? "qcow2" : "raw", backing: [] };
  }
  const reason = `the pool ${pool} has neither files nor devices: choose another`;
  throw new ContractError("DiskNotMovable", { target, path: source.path, reason });
}

/** The operation's record of the move, once its new volume is there. */
async function stepOf(
  { link }: LibvirtHost,
  { vm, target, copy: { source }, format, keepsSource }: MovePlan,
  to: MovedImage,
  { backing, at }: { readonly backing: MovedImage["backing"]; readonly at: number | null },
): Promise<DiskMoved> {
  const { pool, name: volume, path, type } = source;
  return {
    kind: "disk-moved",
    uuid: vm.id,
    name: vm.name,
    target,
    to,
    keepsSource,
    writtenAt: at,
    from: {
      pool,
      volume,
      path,
      format,
      backing,
      type: type === "block" ? type : "file",
      file: await fileOf(link, path),
    },
  };
}

/** Has QEMU copy it. @returns the step, and what keeps others off the VM */
async function moveRunning(
  host: LibvirtHost,
  plan: MovePlan,
  { job, operation, role }: MoveWork,
): Promise<{ readonly step: DiskMoved; readonly claim: Disposable }> {
  const { vm, target, copy, format, name } = plan, { source } = copy;
  using held = new DisposableStack();
  // The VM has it already, and goes on having it
  const wish = { path: source.path, format };
  const { backing } = await checkImage(host, wish, { purpose: "content", role, vm }, held);
  const sizes = await movable(sizesOf(host, vm, [copy]));
  const goal = { name, copy, capacity: sizes.get(target)! };
  const made = await movable(makeTarget(host, goal, { job, steps: operation, held }));
  const step = await stepOf(host, plan, imageOf(plan, made), { backing: plain(backing), at: null });
  const claim = await mirrorDisk({ host, vm, step, job, steps: operation });
  return { step, claim };
}

/** The images below, without what else is known of them. */
const plain = (backing: MovedImage["backing"]): MovedImage["backing"] =>
  backing.map(({ path, type, format }) => ({ path, type, format }));

/** Copies it, and has the definition name the copy. */
async function moveStopped(
  host: LibvirtHost,
  plan: MovePlan,
  { job, operation, role }: MoveWork,
): Promise<DiskMoved> {
  const { vm, target, copy: { source, used, pool }, format, toFiles, name } = plan;
  using held = new DisposableStack();
  const wish = { path: source.path, format };
  const { backing } = await checkImage(host, wish, { purpose: "content", role, vm }, held);
  const at = await writtenAt(host, source.path);
  const { volume } = await makeDiskImage(
    host,
    { source: wish, pool, name, format: toFiles ? used : undefined },
    { role, job, steps: operation, held, share: { before: 0, total: source.allocation }, except: vm.id },
  );
  const step = await stepOf(host, plan, imageOf(plan, volume), { backing: plain(backing), at });
  job.signal.throwIfAborted();
  operation.add<DiskMoved>(step);
  await nameImage(host, step, step.to);
  const places = await placesOfDisk(host, step);
  if (places?.live === step.from.path || await wasWritten(host, step)) {
    throw new ContractError("DiskMoveFailed", { target, error: "the VM was started while it was copied" });
  }
  return step;
}

/** Lets checkpoints of backups go: what QEMU notes in a disk stays there, and of no use without the others. */
async function dropNotes(host: LibvirtHost, { vm }: MovePlan, job: JobHandle): Promise<void> {
  if ((await ownCheckpoints(host, vm.id)).length === 0) return;
  job.log(
    message`What backups have noted of ${
      vmName(vm)
    } since their last copies goes: the next one reads its disks in full`,
  );
  await dropCheckpoints(host, vm);
}

async function carryOut(host: LibvirtHost, plan: MovePlan, work: MoveWork): Promise<Output<"move_disk">> {
  const { vm, target, isLive, copy: { source, pool }, name } = plan, { job, operation } = work;
  operation.showsAs(job.id);
  job.log(message`Copying ${target}: ${source.path} to ${pool}/${name}`);
  if (source.backing !== undefined) {
    job.log(message`It is built on ${source.backing.path}: the copy stands alone`);
  }
  // What others gave the VM, its guest may have written on since
  await host.observeFormats([vm], true);
  await dropNotes(host, plan, job);
  using claimed = new DisposableStack();
  let step: DiskMoved;
  if (isLive) {
    const moved = await moveRunning(host, plan, work);
    claimed.use(moved.claim);
    step = moved.step;
  } else step = await moveStopped(host, plan, work);
  const { to } = step;
  const volume = await findVolumeNamed(host.link, to.pool, to.volume);
  if (volume !== undefined) host.inventory.storage.put(volume);
  const oldVolume = await completeMove(host, step, operation.record.actor);
  job.log(
    oldVolume.reason !== undefined
      ? message`${oldVolume.path} stays: ${oldVolume.reason}`
      : oldVolume.isThere
      ? message`${oldVolume.path} stays`
      : oldVolume.bin === null
      ? message`Deleted ${oldVolume.path}`
      : message`Moved ${oldVolume.path} to the bin`,
  );
  return { pool: to.pool, volume: to.volume, path: to.path, format: to.format, live: isLive, oldVolume };
}

/** Converts an error into one of the contract. */
function moveError(error: unknown, target: string): unknown {
  if (error instanceof ToolError) {
    return new ContractError("DiskMoveFailed", { target, error: messageOf(error) }, { cause: error });
  }
  return deviceError(error, "DiskMoveFailed", "move_disk", { target });
}

/**
 * Moves a disk to another pool, as a job. When a step fails, or the job is cancelled, the VM stays on its old image,
 * and the copy is removed. A VM that is off is held meanwhile; one that runs is held for moments alone.
 *
 * @throws {ContractError} those of {@link planMove}; DiskRefused, VolumeInUse, DiskMoveFailed, VmBusy, JobCancelled
 */
export async function moveDisk(
  host: LibvirtHost,
  input: Input<"move_disk">,
  { role, name: actor }: Pick<Principal, "role" | "name">,
): Promise<Output<"move_disk">> {
  const { vmId, target, pool } = input, { jobs, operations } = host;
  await operations.ready([keyOf.vm(vmId)]);
  const known = host.requireVm(vmId), isLive = host.inventory.active().includes(vmId);
  let output: Output<"move_disk"> | undefined;
  const work = async () => {
    // What is refused now is not put into the queue.
    const first = await plan();
    const spec = {
      command: "move_disk",
      title: message`Move ${target} of ${vmName(known)} to ${pool}`,
      actor,
      vmId,
      lane: "copy",
      ifInterrupted: t("operations.later"),
    } as const;
    output = await jobs.run(spec, async (job) => {
      try {
        const now = await plan();
        if (now.isLive !== first.isLive) {
          const error = "the VM was started or stopped while this waited";
          throw new ContractError("DiskMoveFailed", { target, error });
        }
        const { copy: { source }, name, vm } = now;
        const about = {
          command: "move_disk",
          subject: vm.name,
          vmId,
          actor,
          keys: [keyOf.vm(vmId), keyOf.volume(pool, name), keyOf.volume(source.pool, source.name)],
        } as const;
        return await operations.run(about, (operation) => carryOut(host, now, { job, operation, role }));
      } catch (error) {
        throw moveError(error, target);
      }
    });
  };
  const plan = () => planMove(host, input, role);
  try {
    if (isLive) await work();
    else await host.claims.operate(known, "moving a disk", work);
  } catch (error) {
    throw moveError(error, target);
  }
  return output!;
}
