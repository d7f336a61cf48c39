/** Checksums of a folder's files, compared before anything is made of them. */
import { createHash } from "node:crypto";
import { ContractError } from "../../../lib/contract/mod.ts";
import type { Digest } from "../../../lib/formats/ovf/manifest.ts";
import type { HeldFile } from "./folder.ts";
import { message } from "../../../lib/i18n/message.ts";

/** Bytes that are read at a time. */
const PIECE = 1024 * 1024;

/** Checksums by files' names. */
export type FileSums = Map<string, readonly Digest[]>;

/**
 * Compares a file with its checksums.
 *
 * @param onRead is told of each piece
 * @throws {ContractError} FileDamaged @throws the signal's reason
 */
export async function compareSums(
  { name, size, source }: HeldFile,
  digests: readonly Digest[],
  { signal, onRead }: { readonly signal: AbortSignal; readonly onRead: (bytes: number) => void },
): Promise<void> {
  const hashes = digests.map(({ algorithm, hex }) => ({ algorithm, hex, hash: createHash(algorithm) }));
  for (let at = 0; at < size;) {
    signal.throwIfAborted();
    const bytes = await source.read(at, Math.min(PIECE, size - at));
    if (bytes.length === 0) {
      throw new ContractError("ForeignVmRefused", { reason: message`${name} became shorter` });
    }
    for (const { hash } of hashes) hash.update(bytes);
    at += bytes.length;
    onRead(bytes.length);
  }
  for (const { algorithm, hex, hash } of hashes) {
    const found = hash.digest("hex");
    if (found === hex) continue;
    const shown = algorithm.toUpperCase().replace("SHA", "SHA-");
    throw new ContractError("FileDamaged", { file: name, algorithm: shown, found, wanted: hex });
  }
}
