/** Address of the form that creates a VM from an image. Pure. */
import type { Image, ImageKind } from "../contract/mod.ts";

/**
 * The address of the form for a new VM that begins with an image: an ISO in its drive, or its disk.
 *
 * @param as `cloud` for a disk image that cloud-init sets up
 */
export function newVmHref(
  { kind, pool, name }: Pick<Image, "kind" | "pool" | "name">,
  as: ImageKind | "cloud" = kind,
): string {
  return `/vms/new?${new URLSearchParams({ [as]: `${pool}/${name}` })}`;
}
