/** Writer that takes some of the bytes it is given, and returns how many: a file, a connection, standard output. */
export interface Writing {
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes all of it, in order. @throws what the writing throws; some of it may be written then */
export async function writeAll(to: Writing, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
