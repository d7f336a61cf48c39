/** Bytes as they stand in the store: deflated, where that makes them fewer. Layout: 0, then the bytes; or 1, then deflated ones. */
import { deflateRawSync, inflateRawSync } from "node:zlib";

const PLAIN = 0, DEFLATED = 1;
/** Fewer bytes do not get smaller. */
const LEAST_DEFLATED = 24;
/** Memory for a few thousand bytes: zlib's own measure is for files, and takes longer to set up than they take. */
const FEW = { windowBits: 12, memLevel: 5, chunkSize: 1024 }, FEW_BYTES = 8192;
const MANY = { chunkSize: 32_768 };
/** Most bytes that are unpacked. */
const INFLATE = { maxOutputLength: 8 << 20, chunkSize: 16_384 };

/** Bytes, as few as they can be. */
export function compress(plain: Uint8Array): Uint8Array {
  const deflated = plain.length < LEAST_DEFLATED
    ? plain
    : deflateRawSync(plain, plain.length < FEW_BYTES ? FEW : MANY);
  const isSmaller = deflated.length < plain.length, body = isSmaller ? deflated : plain;
  const bytes = new Uint8Array(1 + body.length);
  bytes[0] = isSmaller ? DEFLATED : PLAIN;
  bytes.set(body, 1);
  return bytes;
}

/** The bytes given to {@link compress}. @throws if they are damaged */
export function unsqueeze(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(1);
  return bytes[0] === DEFLATED ? inflateRawSync(body, INFLATE) : body;
}
