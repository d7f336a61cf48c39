/** Somebody on this host who tries to get onto a VM's screen, with a password or without: raw VNC and SPICE. */
import assert from "node:assert/strict";
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { vncResponse } from "../../lib/formats/rfb/des.ts";
import { ByteSource } from "../../lib/formats/rfb/source.ts";

/** How a screen answers: it asks for no password, it accepts the one given, it refuses. */
export type Answer = "open" | "accepted" | "refused";

interface Wire extends Disposable {
  readonly source: ByteSource;
  send(bytes: Uint8Array): Promise<void>;
}

async function connect(port: number): Promise<Wire> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const source = new ByteSource(async () => {
    const buffer = new Uint8Array(4096);
    const count = await connection.read(buffer);
    return count === null ? null : buffer.subarray(0, count);
  });
  const writer = connection.writable.getWriter();
  return {
    source,
    send: (bytes) => writer.write(bytes),
    [Symbol.dispose]: () => connection.close(),
  };
}

/** Tries to get onto a VNC screen. Source: RFC 6143, 7.1.2 and 7.2. */
export async function tryVnc(port: number, password: string | undefined): Promise<Answer> {
  using wire = await connect(port);
  await wire.source.exactly(12);
  await wire.send(new TextEncoder().encode("RFB 003.008\n"));
  const [count = 0] = await wire.source.exactly(1);
  const offered = [...await wire.source.exactly(count)];
  const [none, vnc] = [1, 2];
  if (offered.includes(none)) return "open";
  assert.deepEqual(offered, [vnc]);
  // Without a password one may still choose None, or answer the challenge with nothing.
  await wire.send(new Uint8Array([vnc]));
  const challenge = await wire.source.exactly(16);
  await wire.send(password === undefined ? new Uint8Array(16) : vncResponse(challenge, password));
  return await wire.source.u32() === 0 ? "accepted" : "refused";
}

/** Tries to get onto a SPICE screen. Source: the SPICE protocol, "Communication channels". */
export async function trySpice(port: number, password: string | undefined): Promise<Answer> {
  const commonCapabilities = 0, authSelection = 1;
  using wire = await connect(port);
  const words = (...values: number[]) => new Uint8Array(new Uint32Array(values).buffer);
  // "REDQ", version 2.2, size; connection, channel (main) and its number, counts and place of the capabilities.
  const message = new Uint8Array([...words(0), 1, 0, ...words(1, 0, 18), ...words(commonCapabilities)]);
  await wire.send(
    new Uint8Array([
      ...new TextEncoder().encode("REDQ"),
      ...words(2, 2, message.length),
      ...message,
    ]),
  );
  const head = await wire.source.exactly(16);
  const size = new DataView(head.buffer, head.byteOffset).getUint32(12, true);
  const reply = await wire.source.exactly(size);
  assert.equal(new DataView(reply.buffer, reply.byteOffset).getUint32(0, true), 0, "the link is refused");
  const key = createPublicKey({ key: Buffer.from(reply.subarray(4, 166)), format: "der", type: "spki" });
  // Without the capability to choose how to sign in, the password follows at once.
  assert.equal(authSelection & commonCapabilities, 0);
  await wire.send(
    publicEncrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" },
      new TextEncoder().encode(`${password ?? ""}\0`),
    ),
  );
  const result = await wire.source.exactly(4);
  const isIn = new DataView(result.buffer, result.byteOffset).getUint32(0, true) === 0;
  if (!isIn) return "refused";
  return password === undefined ? "open" : "accepted";
}
