/** Keys of `kvm-manager console`: bytes for the guest, and the two keys that the program takes itself. Pure. */

/** Ctrl+a */
const PREFIX = 0x01;
const [LEAVE, LITERAL] = ["t", "a"].map((letter) => letter.charCodeAt(0)) as [number, number];

/** Reads what is typed; a Ctrl+a at the end of one piece belongs to the next. */
export class ConsoleKeys {
  #isPrefixed = false;

  /** Bytes that go to the guest, and whether the user wants to leave. */
  read(bytes: Uint8Array): { readonly send: Uint8Array<ArrayBuffer>; readonly leave: boolean } {
    const send: number[] = [];
    for (const byte of bytes) {
      if (!this.#isPrefixed) {
        if (byte === PREFIX) this.#isPrefixed = true;
        else send.push(byte);
        continue;
      }
      this.#isPrefixed = false;
      if (byte === LEAVE) return { send: Uint8Array.from(send), leave: true };
      if (byte === LITERAL) send.push(PREFIX);
      else send.push(PREFIX, byte); // no key of ours: the guest's own
    }
    return { send: Uint8Array.from(send), leave: false };
  }
}
