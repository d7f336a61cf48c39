/**
 * RFB's handshake (RFC 6143, 7.1–7.3) from both ends: towards a VNC server as its client, with the password; towards
 * a browser as a server that asks for none.
 */
import { oneLine } from "../../text/text.ts";
import { vncResponse } from "./des.ts";
import { joined } from "../../bytes.ts";
import { type ByteSource, RfbError } from "./source.ts";

/** One end of a connection during the handshake. */
export interface Wire {
  readonly source: ByteSource;
  write(bytes: Uint8Array): Promise<void>;
}

/** Security types (RFC 6143, 7.2). */
const NONE = 1, VNC_AUTH = 2;
const SECURITY_NAMES: Readonly<Record<number, string>> = {
  16: "Tight",
  18: "TLS",
  19: "VeNCrypt",
  20: "SASL",
};

/** Longest reason a server may give, and longest name it may have. Bytes. */
const LONGEST_REASON = 4096, LONGEST_NAME = 65536;
/** Most pixels in a row or column: a screen that is said to be larger would only fill the browser's memory. */
const MOST_PIXELS = 16384;
/** Characters of a screen's name that are passed on. */
const NAME_LENGTH = 128;

const ascii = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const u32 = (value: number) => new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);

/** The version we speak with a server that greets so: 3.3, 3.7 or 3.8 (7.1.1). */
function versionFor(greeting: Uint8Array): "003" | "007" | "008" {
  const [, major, minor] = /^RFB (\d{3})\.(\d{3})\n$/.exec(text(greeting)) ?? [];
  if (major === undefined || Number(major) < 3) throw new RfbError("it is no VNC server");
  if (Number(major) > 3 || Number(minor) >= 8) return "008";
  return minor === "007" ? "007" : "003";
}

/** Why a server says no: its own words, made fit to show. */
async function reason(source: ByteSource): Promise<string> {
  const length = await source.u32();
  if (length > LONGEST_REASON) throw new RfbError("it refuses, with a reason that is too long");
  return oneLine(text(await source.exactly(length)));
}

/** Chooses a security type. */
function securityType(offered: readonly number[], password: string | undefined): number {
  if (offered.includes(NONE)) return NONE;
  if (!offered.includes(VNC_AUTH)) {
    const names = offered.slice(0, 8).map((type) => SECURITY_NAMES[type] ?? `type ${type}`).join(", ");
    throw new RfbError(`it asks for a sign-in that is not supported here (${names})`);
  }
  if (password === undefined) throw new RfbError("it asks for a password that libvirt does not have");
  return VNC_AUTH;
}

/**
 * Signs in to a VNC server, as one of several viewers.
 *
 * @returns its ServerInit, checked and with a name that is fit to show
 * @throws {RfbError}
 */
export async function joinServer({ source, write }: Wire, password: string | undefined): Promise<Uint8Array> {
  const version = versionFor(await source.exactly(12));
  await write(ascii(`RFB 003.${version}\n`));

  let offered: number[];
  if (version === "003") {
    offered = [await source.u32()];
    if (offered[0] === 0) throw new RfbError(`it refuses: ${await reason(source)}`);
  } else {
    const [count = 0] = await source.exactly(1);
    if (count === 0) throw new RfbError(`it refuses: ${await reason(source)}`);
    offered = [...await source.exactly(count)];
  }
  const type = securityType(offered, password);
  if (version !== "003") await write(new Uint8Array([type]));
  if (type === VNC_AUTH) await write(vncResponse(await source.exactly(16), password!));
  if (type === VNC_AUTH || version === "008") {
    if (await source.u32() !== 0) {
      const why = version === "008" ? `: ${await reason(source)}` : "";
      throw new RfbError(`it does not accept the password${why}`);
    }
  }
  await write(new Uint8Array([1])); // ClientInit: shared
  return await serverInit(source);
}

async function serverInit(source: ByteSource): Promise<Uint8Array> {
  const head = await source.exactly(24);
  const view = new DataView(head.buffer, head.byteOffset);
  if (view.getUint16(0) > MOST_PIXELS || view.getUint16(2) > MOST_PIXELS) {
    throw new RfbError(`its screen is larger than ${MOST_PIXELS} pixels`);
  }
  const length = view.getUint32(20);
  if (length > LONGEST_NAME) throw new RfbError("its name is too long");
  const name = ascii(oneLine(text(await source.exactly(length)), NAME_LENGTH));
  return joined([head.subarray(0, 20), u32(name.length), name]);
}

/**
 * Lets a viewer in that was let in by other means: RFB 3.8 with the security type None.
 *
 * @throws {RfbError} when it speaks anything else
 */
export async function welcomeViewer({ source, write }: Wire, serverInit: Uint8Array): Promise<void> {
  await write(ascii("RFB 003.008\n"));
  const version = text(await source.exactly(12));
  if (version !== "RFB 003.008\n") throw new RfbError("the viewer does not speak RFB 3.8");
  await write(new Uint8Array([1, NONE]));
  const [type] = await source.exactly(1);
  if (type !== NONE) throw new RfbError("the viewer asks for a sign-in that was not offered");
  await write(u32(0));
  await source.exactly(1); // ClientInit: whether it wants to be alone; no client is
  await write(serverInit);
}
