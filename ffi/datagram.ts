/** Datagrams to a UNIX socket: what journald takes. libc's own calls, for Deno has none that are stable. */
import { cString } from "./memory.ts";
import { LIBC } from "./symbols.ts";

/** socket(2), Linux: AF_UNIX; SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK. */
const AF_UNIX = 1, DATAGRAM = 2 | 0o2000000 | 0o4000;
/** send(2): no signal without a listener. */
const NOSIGNAL = 0x4000;
/** sockaddr_un, unix(7): two bytes of family, the path and its NUL. */
const MOST_PATH = 107;

/** A way to one UNIX datagram socket. Sending never waits. */
export class DatagramSocket implements Disposable {
  readonly #libc = Deno.dlopen("libc.so.6", LIBC);
  readonly #address: Uint8Array<ArrayBuffer>;
  readonly #fd: number;

  /** @throws {Error} when there can be no such socket */
  constructor(path: string) {
    const name = cString(path);
    if (name.length > MOST_PATH + 1) {
      throw new Error(`the path of a socket has at most ${MOST_PATH} bytes: ${path}`);
    }
    this.#address = new Uint8Array(2 + name.length);
    new DataView(this.#address.buffer).setUint16(0, AF_UNIX, true);
    this.#address.set(name, 2);
    this.#fd = this.#libc.symbols.socket(AF_UNIX, DATAGRAM, 0);
    if (this.#fd < 0) throw new Error("no socket could be opened");
  }

  /** Sends one datagram; whether it was taken. It is not without a listener, or where the listener does not keep up. */
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    const { sendto } = this.#libc.symbols;
    const sent = sendto(this.#fd, bytes, BigInt(bytes.length), NOSIGNAL, this.#address, this.#address.length);
    return Number(sent) === bytes.length;
  }

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.#fd);
    this.#libc.close();
  }
}
