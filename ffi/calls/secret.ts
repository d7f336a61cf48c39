/** Calls on libvirt's secrets: the passphrases of encrypted volumes. Their values go in, and never come out. */
import { type Connection, Handle } from "../connection.ts";
import { VIR_ERR } from "../error.ts";
import { libvirt, notNull, ok } from "../library.ts";
import { cString, readUuid } from "../memory.ts";

/** `VIR_SECRET_USAGE_TYPE_VOLUME`. */
const USAGE_VOLUME = 1;

const handle = (pointer: Deno.PointerValue) =>
  new Handle(notNull(pointer), (secret) => libvirt().symbols.virSecretFree(secret));

/** Defines a secret and sets its value; neither is there when one fails. */
export function secretMake(
  connection: Connection,
  { xml, value }: { xml: string; value: Uint8Array<ArrayBuffer> },
): null {
  const { symbols } = libvirt();
  using secret = handle(symbols.virSecretDefineXML(connection.pointer, cString(xml), 0));
  try {
    ok(symbols.virSecretSetValue(secret.pointer, value, BigInt(value.length), 0));
  } catch (error) {
    symbols.virSecretUndefine(secret.pointer);
    throw error;
  } finally {
    value.fill(0);
  }
  return null;
}

/** The secret with the passphrase of the volume at `path`; null when there is none. */
function ofVolume(connection: Connection, path: string): Handle | null {
  const found = libvirt().symbols.virSecretLookupByUsage(connection.pointer, USAGE_VOLUME, cString(path));
  if (found !== null) return handle(found);
  const error = libvirt().lastError();
  if (error.code === VIR_ERR.NO_SECRET) return null;
  throw error;
}

/** UUID of the secret with the passphrase of the volume at `path`; null when there is none. */
export function secretOfVolume(connection: Connection, { path }: { path: string }): string | null {
  using secret = ofVolume(connection, path);
  if (secret === null) return null;
  return readUuid((buffer) => libvirt().symbols.virSecretGetUUIDString(secret.pointer, buffer));
}

/** Forgets the secret with the passphrase of the volume at `path`, if there is one. */
export function secretForget(connection: Connection, { path }: { path: string }): null {
  using secret = ofVolume(connection, path);
  if (secret !== null) ok(libvirt().symbols.virSecretUndefine(secret.pointer));
  return null;
}
