/** The XML of copying a disk of a running VM: what it is copied to, and how far libvirt says a copy under way is. Pure. */
import { backingStoreXml, sourceXml } from "./backing_store.ts";
import { renderXml, xml } from "./build.ts";
import { child, type XmlElement } from "./tree.ts";

/** An image that is there already, for QEMU to copy to. */
export interface CopyGoal {
  readonly path: string;
  readonly type: "file" | "block";
  readonly format: "qcow2" | "raw";
}

/** The destination, built on nothing: neither libvirt nor QEMU reads that from its header. */
export function copyGoalXml({ path, type, format }: CopyGoal): string {
  return renderXml(xml(
    "disk",
    { type },
    xml("driver", { name: "qemu", type: format }),
    sourceXml({ path, type }),
    backingStoreXml([]),
  ));
}

/** Image that a disk of a running VM is being copied or merged to. */
export interface Mirror {
  readonly path: string;
  /** All is there: what is written goes to both. */
  readonly isReady: boolean;
}

/** The copy of a disk that is under way, by its live XML. */
export function mirrorOf(disk: XmlElement): Mirror | undefined {
  const mirror = child(disk, "mirror");
  if (mirror === undefined) return undefined;
  const source = child(mirror, "source")?.attributes;
  const path = source?.file ?? source?.dev ?? mirror.attributes.file ?? "";
  return { path, isReady: mirror.attributes.ready === "yes" };
}
