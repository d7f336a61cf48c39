/** The file that this program is, as it is installed here or on another host. */
import { createHash } from "node:crypto";
import { basename } from "node:path";

/** The file, where this program is one; undefined where it runs from source. */
export function ownBinary(): string | undefined {
  const own = Deno.env.get("KVMM_BINARY") ?? Deno.execPath();
  return /^deno(\.exe)?$/.test(basename(own)) ? undefined : own;
}

/** SHA-256 of a file, in hex. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of (await Deno.open(path)).readable) hash.update(piece);
  return hash.digest("hex");
}
