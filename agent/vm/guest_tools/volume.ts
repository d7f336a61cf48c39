/** The guest tools as a volume: one for all VMs of a host, made when it is first wanted. */
import { createHash } from "node:crypto";
import { ContractError } from "../../../lib/contract/mod.ts";
import { toolsCdName } from "../../../lib/guest/tools_cd.ts";
import { VERSION } from "../../../lib/version.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { contractError } from "../../libvirt/failure.ts";
import type { Steps } from "../../operations/operation.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import {
  defaultPool,
  findVolumeNamed,
  type PoolVolume,
  uploadVolume,
  usualPool,
} from "../../storage/volumes.ts";
import { makeToolsCd } from "./programs.ts";
import { message } from "../../../lib/i18n/message.ts";

/** Names tried: somebody's own file may have the first. */
const MOST_NAMES = 10;

/** CDs under construction, by host: two callers at the same time get the same. */
const making = new Map<string, Promise<unknown>>();

/** Identity of a CD. */
interface Identity {
  readonly sha256: string;
  readonly size: number;
}

/** The CD of this program, once it was made: the agents do not change while it runs. */
let known: Identity | undefined;

/** Whether a volume holds this CD, byte for byte: whoever may upload volumes could have put another one there. */
async function holds(
  { link }: LibvirtHost,
  volume: PoolVolume,
  { sha256, size }: Identity,
): Promise<boolean> {
  if (volume.capacity < size) return false;
  const bytes = await link.call("volumeRead", { path: volume.path, most: size });
  return createHash("sha256").update(bytes).digest("hex") === sha256;
}

/** The volume that holds it, or the first name that is free. @throws {ContractError} GuestToolsFailed */
async function look(host: LibvirtHost, pool: string, cd: Identity): Promise<PoolVolume | string> {
  for (let number = 1; number <= MOST_NAMES; number++) {
    const name = toolsCdName(VERSION, cd.sha256, number),
      volume = await findVolumeNamed(host.link, pool, name);
    if (volume === undefined) return name;
    if (await holds(host, volume, cd)) return volume;
  }
  throw new ContractError("GuestToolsFailed", {
    error: message`other files have its names in the pool ${pool}`,
  });
}

async function find(host: LibvirtHost, steps: Steps): Promise<PoolVolume> {
  const { link } = host;
  const pool = usualPool(host.inventory.storage.records()) ?? await defaultPool(link);
  const there = known && await look(host, pool, known);
  if (typeof there === "object") return there;
  const { cd, sha256 } = await makeToolsCd();
  known = { sha256, size: cd.length };
  const place = await look(host, pool, known);
  if (typeof place === "object") return place;
  return await makeVolume(link, steps, { pool, name: place }, () => uploadVolume(link, pool, place, cd));
}

/**
 * The volume with the guest tools; made where it is not there yet, under an operation of its own: other VMs go on using
 * it, whatever becomes of what it is wanted for.
 *
 * @throws {ContractError} GuestToolsMissing, GuestToolsFailed, and what any libvirt call may give
 */
export async function toolsVolumeOf(
  host: LibvirtHost,
  subject: { readonly name: string },
  actor: string,
): Promise<PoolVolume> {
  for (let other = making.get(host.id); other !== undefined; other = making.get(host.id)) {
    await other.catch(() => {/* told to who makes it */});
  }
  const spec = { command: "insert_guest_tools", subject: subject.name, actor, keys: [] } as const;
  const finding = host.operations.run(spec, (operation) => find(host, operation));
  making.set(host.id, finding);
  try {
    return await finding;
  } catch (error) {
    throw contractError(error, "GuestToolsFailed", "insert_guest_tools");
  } finally {
    making.delete(host.id);
  }
}
