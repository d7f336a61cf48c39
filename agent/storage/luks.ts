/**
 * Volumes encrypted with LUKS. The passphrase is a secret of libvirt's, bound to the volume's path: libvirt and the
 * VMs' disks find it by that, and it cannot be read back. When it goes, and what it opens, say passphrases.ts.
 */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { renderXml, xml } from "../../lib/formats/xml/build.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import type { NewVolume } from "../../lib/formats/xml/volume.ts";
import { log } from "../log.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { Steps } from "../operations/operation.ts";
import { binnedAt } from "./passphrases.ts";
import { createVolume, type LinkCaller, type PoolVolume } from "./volumes.ts";

/** Tries of a creation that QEMU gives up because the host is too busy to measure how fast it is. */
const TRIES = 5;
const BUSY = /accurate CPU usage/;

const encoder = new TextEncoder();

/** The XML of the secret for the volume at a path. `private`: libvirt does not give its value out. */
function secretXml(uuid: string, path: string): string {
  return renderXml(xml(
    "secret",
    { ephemeral: false, private: true },
    xml("uuid", {}, uuid),
    xml("description", {}, "passphrase of a volume, kept by KVM Manager"),
    xml("usage", { type: "volume" }, xml("volume", {}, path)),
  ));
}

async function made(link: LinkCaller, pool: string, volume: NewVolume): Promise<PoolVolume> {
  for (let attempt = 1;; attempt++) {
    try {
      return await createVolume(link, pool, volume);
    } catch (error) {
      if (!(error instanceof LibvirtError) || !BUSY.test(error.message) || attempt === TRIES) throw error;
      log.debug("the host was too busy to make an encrypted volume: trying again", { attempt });
    }
  }
}

/**
 * Makes an encrypted volume and its secret, which is a step.
 *
 * @throws {ContractError} VolumeCreateFailed when libvirt keeps a passphrase for its path already
 * @throws {LibvirtError}
 */
export async function createEncrypted(
  host: LibvirtHost,
  pool: PoolRecord,
  volume: NewVolume,
  passphrase: string,
  steps: Steps,
): Promise<PoolVolume> {
  const { link } = host, path = `${describePool(pool.xml).path}/${volume.name}`;
  const old = await link.call("secretOfVolume", { path });
  if (old !== null) {
    const binned = await binnedAt(host, path);
    const error = binned === undefined
      ? `libvirt keeps a passphrase for ${path} already. If what it opens is gone for good, remove it: virsh secret-undefine ${old}`
      : `the passphrase of ${binned}, which is in the bin, belongs to ${path}. Take another name, or delete that from the bin`;
    throw new ContractError("VolumeCreateFailed", { error });
  }
  const secret = crypto.randomUUID();
  steps.add({ kind: "secret-made", uuid: secret, path });
  await link.call("secretMake", { xml: secretXml(secret, path), value: encoder.encode(passphrase) });
  return await made(link, pool.name, { ...volume, format: "raw", secret });
}
