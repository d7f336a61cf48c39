/** Sees that a VM gets a lease: a small one without a system runs for a moment, and the kernel or sanlock is asked for its lease. */
import { setTimeout as pause } from "node:timers/promises";
import { createHash } from "node:crypto";
import { renderXml, xml } from "../../../lib/formats/xml/build.ts";
import { METADATA_PREFIX, METADATA_URI, THROW_AWAY } from "../../../lib/formats/xml/metadata.ts";
import { lockedFile, processLocks } from "../../../lib/system/lock_manager/kernel_locks.ts";
import { sanlockStatus } from "./sanlock.ts";
import { leaseName } from "../../../lib/system/lock_manager/settings.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import type { LibvirtCaller } from "../../libvirt/link.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";

/** Folder of its disk: QEMU can enter it, and it is empty after a restart of the host. */
const FOLDER = "/run/libvirt/qemu";
/** Bytes of its disk, and MiB of its memory. */
const DISK_BYTES = 1024 * 1024, MEMORY_MB = 32;
/** Looks for its lock, and milliseconds between them: libvirt takes it when the CPUs start. */
const LOOKS = 40, LOOK_MS = 100;

/** The VM got no lease, or could not be started. */
export class NoLeaseError extends Error {
  override readonly name = "NoLeaseError";
}

/** Its definition: it is emulated, has one disk, reaches nothing and is in no list. */
function definition(uuid: string, path: string): string {
  return renderXml(xml(
    "domain",
    { type: "qemu" },
    xml("name", {}, `lease-test-${uuid.slice(0, 8)}`),
    xml("uuid", {}, uuid),
    xml("description", {}, "Test of the lock manager. KVM Manager removes it by itself."),
    xml(
      "metadata",
      {},
      xml(`${METADATA_PREFIX}:vm`, {
        [`xmlns:${METADATA_PREFIX}`]: METADATA_URI,
        [THROW_AWAY.name]: THROW_AWAY.value,
      }),
    ),
    xml("memory", { unit: "MiB" }, MEMORY_MB),
    xml("vcpu", {}, 1),
    xml("os", {}, xml("type", {}, "hvm")),
    xml(
      "devices",
      {},
      xml(
        "disk",
        { type: "file", device: "disk" },
        xml("driver", { name: "qemu", type: "raw" }),
        xml("source", { file: path }),
        xml("target", { dev: "vda", bus: "virtio" }),
      ),
      xml("controller", { type: "usb", model: "none" }),
      xml("memballoon", { model: "none" }),
    ),
  ));
}

/** The name of sanlock's lease of a disk: the MD5 of its path. Source: lock_driver_sanlock.c */
const sanlockLeaseName = (path: string): string => createHash("md5").update(path).digest("hex");

/** Whether the kernel has a lock of a process on the lease of a disk. */
async function hasLease(disk: string, lockspace: string | null): Promise<boolean> {
  const lease = lockspace === null ? disk : `${lockspace}/${await leaseName(disk)}`;
  const info = await undefinedIfMissing(hostFiles.stat(lease));
  if (info === undefined) return false;
  const file = lockedFile(info);
  return processLocks(await Deno.readTextFile("/proc/locks")).some((lock) => lock.file === file);
}

/**
 * Starts a VM to see that it gets a lease.
 *
 * @param lockspace folder of the leases; null: they are on the disks' own files, which sanlock has none on
 * @param hide has the VM shown in no list
 * @throws {NoLeaseError} @throws {LibvirtError} where libvirt went away
 */
export async function tryLease(
  call: LibvirtCaller,
  driver: "lockd" | "sanlock",
  lockspace: string | null,
  hide: (uuid: string) => void = () => {},
): Promise<void> {
  const uuid = crypto.randomUUID(), folder = `${FOLDER}/kvm-manager-${uuid.replaceAll("-", "").slice(0, 16)}`;
  const disk = `${folder}/disk.raw`, name = sanlockLeaseName(disk);
  const isHeld = driver === "lockd"
    ? () => hasLease(disk, lockspace)
    : async () => (await sanlockStatus())?.leases.includes(name) ?? false;
  await Deno.mkdir(folder, { mode: 0o711 });
  try {
    await Deno.chmod(folder, 0o711); // whatever the umask is: QEMU's user goes through it
    await Deno.writeFile(disk, new Uint8Array(), { mode: 0o600 });
    await Deno.truncate(disk, DISK_BYTES);
    hide(uuid);
    try {
      await call("domainStartTransient", { xml: definition(uuid, disk), untilClosed: true });
    } catch (error) {
      if (!(error instanceof LibvirtError) || isConnectionLost(error)) throw error;
      throw new NoLeaseError(`a VM that was to show it could not be started: ${messageOf(error)}`, {
        cause: error,
      });
    }
    try {
      for (let look = 0; look < LOOKS; look++) {
        if (await isHeld()) return;
        await pause(LOOK_MS);
      }
      throw new NoLeaseError("a VM that was started to show it got no lease");
    } finally {
      await call("domainDestroy", { uuid });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
    // libvirt leaves the leases of sanlock in their folder
    if (driver === "sanlock" && lockspace !== null) {
      await undefinedIfMissing(hostFiles.remove(`${lockspace}/${name}`));
    }
  }
}
