/** Media for CD drives: an ISO has a volume descriptor, and what has none is taken in a pool alone. */
import { type ConfigFinding, WARNINGS } from "../../../lib/contract/create.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { strangeContent } from "../../../lib/formats/content_kind.ts";
import { fill } from "../../../lib/i18n/fill.ts";
import type { CheckedImage } from "./check.ts";

/**
 * Reason why an image is not accepted as a CD; undefined if there is none, or if its first bytes cannot be
 * read.
 *
 * @param field of the input that names it
 * @param anyMedium takes a file outside all pools that is no ISO
 * @throws {ContractError} DiskRefused for such a file: libvirt would give any file of the host to QEMU's user
 */
export function mediumDoubt(
  { path, volume, content }: Pick<CheckedImage, "path" | "volume" | "content">,
  field: string,
  anyMedium: boolean,
): ConfigFinding | undefined {
  // A blank one holds nothing that a guest could take for something else.
  if (content === undefined || content.kind === "cd" || content.kind === "empty") return undefined;
  const strange = strangeContent(content);
  const what = strange === undefined ? "" : `, it is ${strange}`;
  if (volume === undefined && !anyMedium) {
    const reason =
      `it is no ISO: it has no volume descriptor${what}. Choose an ISO, or tick that it need not be one (--any-medium, ` +
      "REST: anyMedium)";
    throw new ContractError("DiskRefused", { path, reason });
  }
  return { field, code: "NoIso", message: fill(WARNINGS.NoIso, { path, what }) };
}
