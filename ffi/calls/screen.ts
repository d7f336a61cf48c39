/** Calls on a domain's screen and keyboard. */
import { deflateSync, inflateSync } from "node:zlib";
import { messageOf } from "../../lib/text/message.ts";
import { type Bitmap, decodePpm, MOST_PIXELS, shrink } from "../../lib/formats/png/image.ts";
import { decodePng, encodePng, isPng, pngSize } from "../../lib/formats/png/png.ts";
import { type Connection, Handle } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, notNull, ok, takeString } from "../library.ts";

/** A picture of a screen. */
export interface ScreenshotRecord {
  /** A PNG. */
  readonly png: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** Bytes read at once: what one message of libvirt's stream holds at most. */
const CHUNK = 256 * 1024;
/** Bytes of the largest picture taken on: uncompressed, with room for the head. */
const MOST_BYTES = MOST_PIXELS * 4 + 4096;
/** zlib's quickest: a thumbnail is small whatever the level. */
const LEVEL = 1;

const inflate = (bytes: Uint8Array, most: number) => inflateSync(bytes, { maxOutputLength: most });
const deflate = (bytes: Uint8Array) => deflateSync(bytes, { level: LEVEL });

/** Reads a blocking stream to its end. @throws {LibvirtError} */
function drain(stream: Deno.PointerObject): Uint8Array<ArrayBuffer> {
  const { symbols } = libvirt();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const buffer = new Uint8Array(CHUNK);
    const count = ok(symbols.virStreamRecv(stream, buffer, BigInt(CHUNK)));
    if (count === 0) break;
    size += count;
    if (size > MOST_BYTES) {
      throw new LibvirtError({
        code: VIR_ERR.OPERATION_FAILED,
        message: "the picture of the screen is too large",
      });
    }
    parts.push(buffer.subarray(0, count));
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The picture as libvirt hands it over: PNG from QEMU 7.1 on, PPM before. @throws {LibvirtError} */
function capture(connection: Connection, uuid: string): Uint8Array<ArrayBuffer> {
  const { symbols } = libvirt();
  using domain = connection.domain(uuid);
  using stream = new Handle(
    notNull(symbols.virStreamNew(connection.pointer, 0)),
    (pointer) => symbols.virStreamFree(pointer),
  );
  // The MIME type is not needed: the file itself tells what it is.
  takeString(symbols.virDomainScreenshot(domain.pointer, stream.pointer, 0, 0));
  try {
    const file = drain(stream.pointer);
    ok(symbols.virStreamFinish(stream.pointer));
    return file;
  } catch (error) {
    // A stream that was neither finished nor aborted would stay open on libvirtd's side.
    symbols.virStreamAbort(stream.pointer);
    throw error;
  }
}

/**
 * Takes a picture of a domain's first screen.
 *
 * @param mostWidth makes a wider one this many pixels wide
 * @throws {LibvirtError} OPERATION_INVALID when it is off or has no screen
 */
export function domainScreenshot(
  connection: Connection,
  { uuid, mostWidth }: { uuid: string; mostWidth?: number },
): ScreenshotRecord {
  const file = capture(connection, uuid);
  try {
    if (isPng(file)) {
      const { width, height } = pngSize(file);
      if (mostWidth === undefined || width <= mostWidth) return { png: file, width, height };
    }
    const image: Bitmap = isPng(file) ? decodePng(file, inflate) : decodePpm(file);
    const { width, height, rgb } = mostWidth === undefined ? image : shrink(image, mostWidth);
    return { png: encodePng({ width, height, rgb }, deflate), width, height };
  } catch (error) {
    const why = messageOf(error);
    throw new LibvirtError({
      code: VIR_ERR.OPERATION_FAILED,
      message: `the picture of the screen cannot be read: ${why}`,
    });
  }
}

/** `VIR_KEYCODE_SET_LINUX` */
const CODESET_LINUX = 0;

/** Presses keys together, and lets them go after `holdMs`. Source: virDomainSendKey. @throws {LibvirtError} */
export function domainSendKeys(
  connection: Connection,
  { uuid, codes, holdMs }: { uuid: string; codes: readonly number[]; holdMs: number },
): null {
  using domain = connection.domain(uuid);
  const keys = Uint32Array.from(codes);
  ok(libvirt().symbols.virDomainSendKey(domain.pointer, CODESET_LINUX, holdMs, keys, keys.length, 0));
  return null;
}
