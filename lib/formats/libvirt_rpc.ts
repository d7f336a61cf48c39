/**
 * Calls that another host's libvirt may make to ours while a VM comes from it: those of a migration, and no others.
 * Source: libvirt's docs/kbase/internals/rpc, src/remote/remote_protocol.x.
 */

/** Bytes of a message at most (VIR_NET_MESSAGE_MAX), with its length word. */
const MOST = 32 * 1024 * 1024 + 4;
/** Bytes of the length word and the header behind it. */
const HEAD = 28;
/** Programs: libvirt's calls, and its signs of life. */
const PROGRAM = { REMOTE: 0x20008086, KEEPALIVE: 0x6b656570 } as const;
/** Types of messages: a call. */
const CALL = 0;

/** Numbers of the calls (`remote_procedure`) that libvirt makes of the host that a VM moves to, peer to peer. */
export const MIGRATION_CALLS: Readonly<Record<string, number>> = {
  CONNECT_OPEN: 1,
  CONNECT_CLOSE: 2,
  CONNECT_SUPPORTS_FEATURE: 60,
  AUTH_LIST: 66,
  DOMAIN_MIGRATE_PREPARE3_PARAMS: 303,
  DOMAIN_MIGRATE_FINISH3_PARAMS: 306,
  CONNECT_REGISTER_CLOSE_CALLBACK: 360,
  CONNECT_UNREGISTER_CLOSE_CALLBACK: 361,
};
const ALLOWED: ReadonlySet<number> = new Set(Object.values(MIGRATION_CALLS));

/** Something was asked for that is no part of a migration. */
export class ForbiddenCallError extends Error {
  override readonly name = "ForbiddenCallError";
}

/** Looks at what one side of a connection to libvirt says, as it comes in pieces. */
export class MigrationCalls {
  /** Bytes of the message under way that are still to come; its head is read when that is whole. */
  #left = 0;
  readonly #head = new Uint8Array(HEAD);
  #headLength = 0;

  /** Takes the next piece, none of which may be passed on where it throws. @throws {ForbiddenCallError} */
  take(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, piece.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      const part = piece.subarray(at, at + HEAD - this.#headLength);
      this.#head.set(part, this.#headLength);
      this.#headLength += part.length;
      at += part.length;
      if (this.#headLength < HEAD) return;
      this.#left = this.#check() - HEAD;
      this.#headLength = 0;
    }
  }

  /** @returns bytes of the message that begins so */
  #check(): number {
    const view = new DataView(this.#head.buffer);
    const [length, program, , procedure, type] = [0, 4, 8, 12, 16].map((offset) => view.getUint32(offset));
    if (length! < HEAD || length! > MOST) throw new ForbiddenCallError(`a message of ${length} bytes`);
    if (program === PROGRAM.KEEPALIVE) return length!;
    if (program !== PROGRAM.REMOTE) throw new ForbiddenCallError(`program ${program!.toString(16)}`);
    if (type !== CALL || !ALLOWED.has(procedure!)) {
      throw new ForbiddenCallError(`call ${procedure} of type ${type}`);
    }
    return length!;
  }
}
