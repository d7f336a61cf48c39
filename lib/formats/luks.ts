/** The head of a LUKS container, of version 1 or 2. Source: the LUKS On-Disk Format specifications. */

/** Bytes that tell. */
export const LUKS_HEAD_BYTES = 6;

const MAGIC = [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe] as const;

/** Whether a file that begins so is a LUKS container. */
export const isLuksHead = (head: Uint8Array): boolean => MAGIC.every((byte, index) => head[index] === byte);
