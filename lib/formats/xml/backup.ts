/** libvirt's backup XML ⇄ what is to be copied, and where. */
import { renderXml, xml } from "./build.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** A disk of a running VM, and where its content goes; without a file it is left out. */
export interface BackupDisk {
  readonly target: string;
  readonly file: string | undefined;
  /** The format of that file: qcow2 when left out. */
  readonly format?: string;
  /** It is a device of the host. */
  readonly isDevice?: boolean;
  /** Only what was written since the checkpoint is copied, into a qcow2 file. */
  readonly isIncremental?: boolean;
}

/**
 * The XML that has QEMU copy disks, as they are at one moment, into files: qcow2 ones where it makes them. A raw one would
 * take the disk's whole size, however little is in it: QEMU has the file system reserve what is zeros.
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
      disks.map(({ target, file, format = "qcow2", isDevice = false, isIncremental = false }) =>
        file === undefined ? xml("disk", { name: target, backup: false }) : xml(
          "disk",
          { name: target, backup: true, type: isDevice ? "block" : "file", ...modeOf(isIncremental) },
          xml("driver", { type: format }),
          xml("target", isDevice ? { dev: file } : { file }),
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
  return children(child(parseXml(source), "disks"), "disk").flatMap((disk) => {
    const { file, dev } = child(disk, "target")?.attributes ?? {};
    return file ?? dev ?? [];
  });
}

/** Targets of the disks that something is true of. */
function targetsWhere(domain: string, isMeant: (disk: XmlElement) => boolean): string[] {
  return children(child(parseXml(domain), "devices"), "disk").filter(isMeant).map((disk) =>
    child(disk, "target")?.attributes.dev ?? ""
  );
}

/** Targets of disks that libvirt encrypts: read by QEMU, their content would leave in the clear. @throws {XmlError} */
export const encryptedDisks = (domain: string): string[] =>
  targetsWhere(
    domain,
    (disk) => (child(disk, "encryption") ?? child(child(disk, "source"), "encryption")) !== undefined,
  );

/** Targets of disks of which nothing that is written stays. @throws {XmlError} */
export const transientDisks = (domain: string): string[] =>
  targetsWhere(domain, (disk) => child(disk, "transient") !== undefined);
