/** libvirt's backup XML ⇄ what is to be copied, and where. */
import { renderXml, xml } from "./build.ts";
import { child, children, parseXml } from "./tree.ts";

/** A disk of a running VM, and where its content goes; without a file it is left out. */
export interface BackupDisk {
  readonly target: string;
  readonly file: string | undefined;
  /** Only what was written since the checkpoint is copied, into a qcow2 file. */
  readonly isIncremental?: boolean;
}

/**
 * The XML that has QEMU copy disks, as they are at one moment, into files that it makes: raw ones of whole disks.
 *
 * @param since the checkpoint that disks are copied from on which are incremental
 */
export function backupXml(disks: readonly BackupDisk[], since?: string): string {
  const modeOf = (isIncremental: boolean) =>
    since === undefined ? {} : { backupmode: isIncremental ? "incremental" : "full" };
  return renderXml(xml(
    "domainbackup",
    { mode: "push" },
    since !== undefined && xml("incremental", {}, since),
    xml(
      "disks",
      {},
      disks.map(({ target, file, isIncremental = false }) =>
        file === undefined ? xml("disk", { name: target, backup: false }) : xml(
          "disk",
          { name: target, backup: true, type: "file", ...modeOf(isIncremental) },
          xml("driver", { type: isIncremental ? "qcow2" : "raw" }),
          xml("target", { file }),
        )
      ),
    ),
  ));
}

/** The XML of a checkpoint: from then on QEMU notes what is written to these disks, and nothing of the others. */
export function checkpointXml(
  name: string,
  disks: readonly { readonly target: string; readonly isNoted: boolean }[],
): string {
  return renderXml(xml(
    "domaincheckpoint",
    {},
    xml("name", {}, name),
    xml("description", {}, "KVM Manager: what its next backup has to read"),
    xml(
      "disks",
      {},
      disks.map(({ target, isNoted }) =>
        xml("disk", { name: target, checkpoint: isNoted ? "bitmap" : "no" })
      ),
    ),
  ));
}

/** The files that a backup which is under way writes to. @throws {XmlError} */
export function backupFiles(source: string): string[] {
  return children(child(parseXml(source), "disks"), "disk").flatMap((disk) =>
    child(disk, "target")?.attributes.file ?? []
  );
}

/** Targets of disks that libvirt encrypts: read by QEMU, their content would leave in the clear. */
export function encryptedDisks(domain: string): string[] {
  return children(child(parseXml(domain), "devices"), "disk").flatMap((disk) => {
    const source = child(disk, "source");
    const isEncrypted = child(disk, "encryption") ?? child(source, "encryption");
    return isEncrypted ? [child(disk, "target")?.attributes.dev ?? ""] : [];
  });
}
