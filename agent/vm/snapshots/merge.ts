/** Merging an image into the one that it is built on: by QEMU while the VM runs, else by qemu-img. */
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { declaredChain } from "../../../lib/formats/xml/backing_store.ts";
import { child } from "../../../lib/formats/xml/tree.ts";
import { sleep } from "../../clock.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { log } from "../../log.ts";
import type { CheckedImage } from "../../storage/disk_images/check.ts";
import { commitImage, sameContent } from "../../storage/qemu_img.ts";
import { diskIn } from "../devices/configurations.ts";

/** Milliseconds between looks at a merge. */
const LOOK_MS = 300;

/** The images and the disk of a merge. */
export interface Merge {
  readonly vm: VM;
  /** The disk of the VM in whose chain it is; undefined where the VM does not have it now. */
  readonly target: string | undefined;
  readonly upper: CheckedImage;
  readonly lower: { readonly path: string; readonly format: string };
  /** Whether the VM writes to the upper one. */
  readonly isHead: boolean;
  /** Whether an earlier try came to where QEMU goes over to the lower one, and may have done so. */
  readonly wasPivoting: boolean;
}

/** How a merge is followed and ended. */
export interface MergeWatch {
  readonly job: Pick<JobHandle, "signal" | "log">;
  readonly onShare: (share: number) => void;
  /** Is done before QEMU goes over to the lower image. */
  readonly beforePivot: () => Promise<void>;
}

/** The paths of the images that a running VM has for a disk, what it writes to first. */
async function liveChain({ link }: LibvirtHost, uuid: string, target: string): Promise<string[]> {
  const document = new XmlDocument(await link.call("domainXml", { uuid, secure: false, inactive: false }));
  const disk = diskIn(document, target);
  if (disk === undefined) return [];
  const source = child(disk, "source")?.attributes;
  return [source?.file ?? source?.dev ?? "", ...declaredChain(disk).images.map(({ path }) => path)];
}

/**
 * Has QEMU merge an image of a running VM. One that was begun before – by a run that ended – is gone on with.
 *
 * @throws {ContractError} SnapshotDeleteFailed @throws the reason of the job's end @throws {LibvirtError}
 */
async function mergeLive(
  host: LibvirtHost,
  { vm: { id: uuid }, upper, lower, isHead }: Merge,
  target: string,
  { job, onShare, beforePivot }: MergeWatch,
): Promise<void> {
  const { link, clock } = host;
  const wanted = isHead ? "active-commit" : "commit";
  const begun = await link.call("blockJobNow", { uuid, target });
  if (begun !== null && begun.type !== wanted) {
    const error = `another program works on disk ${target} just now`;
    throw new ContractError("SnapshotDeleteFailed", { error });
  }
  if (begun === null) {
    const top = isHead ? null : upper.path;
    await link.call("blockCommit", { uuid, target, base: lower.path, top });
  }
  try {
    for (;;) {
      job.signal.throwIfAborted();
      const now = await link.call("blockJobNow", { uuid, target });
      if (now === null) break;
      if (now.total > 0) onShare(now.done / now.total);
      if (isHead && now.total > 0 && now.done >= now.total) {
        await beforePivot();
        if (await link.call("blockJobPivot", { uuid, target })) break;
      }
      await sleep(clock, LOOK_MS, job.signal);
    }
  } catch (error) {
    if (job.signal.aborted) {
      await link.call("blockJobAbort", { uuid, target }).catch((left) =>
        log.warn("a merge of images could not be ended", { target, error: left })
      );
    }
    throw error;
  }
  if (!(await liveChain(host, uuid, target)).includes(upper.path)) return;
  const error = `QEMU ended the merge of ${upper.path} before it was whole`;
  throw new ContractError("SnapshotDeleteFailed", { error });
}

/**
 * QEMU that ended while it went over to the lower image has written to one of the two last, and which is not known:
 * a merge would put what is older over what is newer.
 *
 * @throws {ContractError} SnapshotDeleteFailed when a guest sees other data in one than in the other
 */
async function requireSame({ upper, lower }: Merge, signal: AbortSignal): Promise<void> {
  const [below, ...backing] = upper.backing;
  if (below === undefined || await sameContent(upper, { ...below, backing }, signal)) return;
  const error =
    `QEMU ended while it changed over from ${upper.path} to ${lower.path}, and they differ since. Start the ` +
    "VM with each of them in turn, and keep the one whose data is right";
  throw new ContractError("SnapshotDeleteFailed", { error });
}

/**
 * Merges an image into the one below it. The upper one still shows the same when it ends in the middle.
 *
 * @throws {ContractError} SnapshotDeleteFailed @throws {ToolError} @throws the reason of the job's end
 */
export async function mergeImages(host: LibvirtHost, wish: Merge, watch: MergeWatch): Promise<void> {
  const { vm, target, upper } = wish;
  const isActive = host.inventory.active().includes(vm.id);
  if (isActive && target !== undefined) return await mergeLive(host, wish, target, watch);
  const { job: { signal }, onShare } = watch;
  if (wish.wasPivoting) await requireSame(wish, signal);
  await commitImage(upper, { signal, onShare });
}
