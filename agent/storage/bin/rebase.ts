/** Images that are built on one another, out of the bin under other names: each names the one below by its path. */
import { binPath } from "../../../lib/bin/place.ts";
import type { KeptFile } from "../../../lib/bin/entry.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { ToolError } from "../../libvirt/failure.ts";
import type { Rebased } from "../../operations/bin_steps.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { resolvedByFolder } from "../../machine/resolved_path.ts";
import { backingOf } from "../disk_images/backing.ts";
import { hasQemuImg, rebaseImage } from "../qemu_img.ts";

/** Milliseconds that qemu-img may take to write one head. */
const REBASE_MS = 60_000;

type Placed = Pick<KeptFile, "path" | "as" | "role" | "format" | "backing"> & { readonly to: string };

/**
 * The images whose heads do not name the file that is below them once all of these are where they go. Only what was built
 * on one of these before is asked: whatever else a head names stays.
 *
 * @throws {ContractError} BinRestoreFailed where the format of what is below is not known, or qemu-img is not here
 */
export async function planRebases({ link }: LibvirtHost, placed: readonly Placed[]): Promise<Rebased[]> {
  const found: Rebased[] = [];
  const at = await resolvedByFolder(link.machine, placed.flatMap(({ path, backing }) => [path, ...backing]));
  for (const { path, as, role, format, backing: [before], to } of placed) {
    const base = before === undefined ? undefined : placed.find((each) => at(each.path) === at(before));
    // A guest may have written a head onto its raw disk
    if (base === undefined || role !== "disk" || format === "raw") continue;
    const named = await backingOf(binPath({ path, as }), path);
    if (base.to === base.path && (named?.path === base.path || named?.path === before)) continue;
    const said = named?.format || base.format;
    if (said === undefined) {
      const reason =
        `${path} is built on ${base.path}, whose place is taken, and does not say the format of that. ` +
        `Give what is at ${base.path} another name, then restore this under its own`;
      throw new ContractError("BinRestoreFailed", { reason });
    }
    found.push({ path: to, base: { path: base.to, format: said } });
  }
  if (found.length > 0 && !await hasQemuImg()) {
    const reason =
      "its images are built on one another, and qemu-img, which tells them their new names, is not installed";
    throw new ContractError("BinRestoreFailed", { reason });
  }
  return found;
}

/** Writes these heads. Doing it twice does the same. @throws {ContractError} BinRestoreFailed */
export async function rebase(images: readonly Rebased[]): Promise<void> {
  for (const { path, base } of images) {
    try {
      await rebaseImage(path, base, AbortSignal.timeout(REBASE_MS));
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      const reason = `${path} could not be told that it is built on ${base.path}: ${error.message}`;
      throw new ContractError("BinRestoreFailed", { reason }, { cause: error });
    }
  }
}
