/** Lines of bounded length out of bytes as they come. What a guest sends may be anything. Pure. */
import { joined } from "../bytes.ts";
import { MAX_LINE } from "./protocol.ts";

/** A line without its end; null for one that was too long and has been thrown away. */
export type GuestLine = Uint8Array<ArrayBuffer> | null;

const END = 0x0a;

/** Cuts bytes into lines. Keeps at most one line's length, whatever comes. */
export class LineCutter {
  readonly #longest: number;
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;
  #tooLong = false;

  constructor(longest = MAX_LINE) {
    this.#longest = longest;
  }

  /** Bytes that wait for the end of their line. */
  get held(): number {
    return this.#size;
  }

  /** The lines that these bytes end. They may share memory with the bytes. */
  *push(bytes: Uint8Array<ArrayBuffer>): Generator<GuestLine> {
    let at = 0;
    for (let end = bytes.indexOf(END); end >= 0; end = bytes.indexOf(END, at)) {
      this.#add(bytes.subarray(at, end));
      at = end + 1;
      yield this.#take();
    }
    // A copy: who brought the bytes may use their memory again
    this.#add(bytes.slice(at));
  }

  #add(part: Uint8Array<ArrayBuffer>): void {
    if (part.length === 0 || this.#tooLong) return;
    this.#size += part.length;
    this.#tooLong = this.#size > this.#longest;
    if (this.#tooLong) {
      this.#parts = [];
      this.#size = 0;
    } else this.#parts.push(part);
  }

  #take(): GuestLine {
    const line = this.#tooLong ? null : this.#parts.length === 1 ? this.#parts[0]! : joined(this.#parts);
    this.#parts = [];
    this.#size = 0;
    this.#tooLong = false;
    return line;
  }
}
