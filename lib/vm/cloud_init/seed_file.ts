/** Recognizes the seeds that KVM Manager makes: by their name and by the CD's label. Pure. */
import { DESCRIPTOR, FIRST_DESCRIPTOR, ISO_SECTOR } from "../../formats/iso9660/fields.ts";
import { SEED_SUFFIX } from "../../formats/xml/seed_drive.ts";
import { SEED_LABEL } from "./seed.ts";

/** Offset of a CD's label in its first descriptor (ECMA-119, 8.4.6), and its length. */
const LABEL_AT = FIRST_DESCRIPTOR * ISO_SECTOR + 40, LABEL_BYTES = 32;

/** Whether a file's first bytes are a CD's with the label of a seed, of any program; undefined where they are too few. */
export function hasSeedLabel(head: Uint8Array): boolean | undefined {
  if (head.length < LABEL_AT + LABEL_BYTES) return undefined;
  if (head[FIRST_DESCRIPTOR * ISO_SECTOR] !== DESCRIPTOR.PRIMARY) return false;
  const label = String.fromCharCode(...head.subarray(LABEL_AT, LABEL_AT + LABEL_BYTES)).trimEnd();
  return label.toLowerCase() === SEED_LABEL;
}

/**
 * Whether a file is a seed of KVM Manager's.
 *
 * @param head its first bytes; empty where they cannot be read: its name is believed then
 */
export function isSeed(path: string, head: Uint8Array): boolean {
  return path.endsWith(SEED_SUFFIX) && (hasSeedLabel(head) ?? head.length === 0);
}
