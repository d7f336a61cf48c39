/** Volumes that are copied from one host to another. */
import Type from "typebox";
import { command } from "./command.ts";
import { ConfigFinding } from "./finding.ts";
import { HostName } from "./on_host.ts";
import { closed } from "./schema.ts";
import { PoolName } from "./storage.ts";
import { NewVolumeName, VolumeName } from "./volumes.ts";

export const volumeCopyCommands = {
  copy_volume_to_host: command({
    summary: "Copy a volume to another host",
    description:
      "Answers when everything is copied; meanwhile it is a job on this KVM Manager: list_jobs has its progress, cancel_job ends " +
      "it and removes the copy. The content travels through this KVM Manager, from whichever host to whichever host. When a line " +
      "breaks, it goes on at the byte that has arrived. At the end the SHA-256 of what arrived is compared with that of what was " +
      "read. A volume that is built on another image is not copied: its clone (clone_volume) stands alone.",
    role: "operator",
    permission: "storage.operate",
    input: closed({
      pool: PoolName,
      volume: VolumeName,
      toHost: { ...HostName, description: "the host that it is copied to" },
      toPool: Type.Optional({
        ...PoolName,
        description: "storage pool of that host; left out, the pool of the same name there",
      }),
      name: Type.Optional({
        ...NewVolumeName,
        description: "name of the copy; left out, that of the volume",
      }),
      host: Type.Optional({
        ...HostName,
        description: "the host that it is copied from; this one when left out",
      }),
    }),
    output: Type.Object({
      host: Type.String({ description: "id of the host that has the copy" }),
      pool: Type.String(),
      name: Type.String(),
      path: Type.String(),
      size: Type.Integer({ minimum: 0, description: "bytes that were copied" }),
      sha256: Type.String({ description: "of the content" }),
      warnings: Type.Array(ConfigFinding, { description: "what speaks against its being a disk or an ISO" }),
    }),
    errors: [
      "HostNotFound",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeNotFound",
      "VolumeExists",
      "VolumeInUse",
      "VolumeCopyFailed",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "DiskRefused",
      "ImageTooLarge",
      "UploadRunning",
      "UploadOfOther",
      "TooManyUploads",
      "UploadFailed",
      "DownloadFailed",
      "StorageBusy",
      "LinkedHostAway",
      "LinkUndecided",
      "LinkedHostNonsense",
      "JobCancelled",
    ],
    route: "POST /storage/pools/{pool}/volumes/{volume}/copy",
    makesAt: "/storage/pools/{pool}/volumes/{name}",
    cli: ["volume", "copy", "<pool>", "<volume>", "<toHost>"],
    examples: [
      "kvm-manager volume copy default debian-12.iso kvm2",
      "kvm-manager volume copy default web.qcow2 kvm2 --to-pool fast --name web-copy.qcow2",
    ],
    exampleFields: ["toPool"],
    isJob: true,
    spansHosts: true,
    readOnly: false,
  }),
};
