/**
 * A VNC server for the demo's screens, on a UNIX socket in the demo's own folder: RFB 3.8 without a password, which sends
 * whole pictures as they are. Source: RFC 6143.
 */
import { ByteSource, RfbError } from "../../../lib/formats/rfb/source.ts";
import { writeAll } from "../../../lib/write_all.ts";
import { log } from "../../log.ts";
import { type DemoScreen, SCREEN } from "./screen.ts";

/** Security type: none. */
const NONE = 1;
/** Milliseconds between two looks whether a picture has changed that a viewer waits for. */
const LOOK_MS = 60;
/** Keysyms of both control keys. */
const CONTROL: ReadonlySet<number> = new Set([0xffe3, 0xffe4]);
/** Bytes of a colour that the viewer may have pasted, at most. */
const MOST_TEXT = 1 << 20;

/** How a viewer wants its pixels: four bytes, or none that is supported. */
interface PixelFormat {
  readonly bigEndian: boolean;
  readonly shifts: readonly [red: number, green: number, blue: number];
}

/** 32 bits, true colours, blue first in memory. */
const OWN_FORMAT: PixelFormat = { bigEndian: false, shifts: [16, 8, 0] };

function serverInit(name: string): Uint8Array {
  const text = new TextEncoder().encode(name), bytes = new Uint8Array(24 + text.length);
  const view = new DataView(bytes.buffer), [red, green, blue] = OWN_FORMAT.shifts;
  view.setUint16(0, SCREEN.width);
  view.setUint16(2, SCREEN.height);
  bytes.set([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, red, green, blue], 4);
  view.setUint32(20, text.length);
  bytes.set(text, 24);
  return bytes;
}

/** @throws {RfbError} for pixels that are not four bytes of true colour */
function pixelFormat(bytes: Uint8Array): PixelFormat {
  if (bytes[0] !== 32 || bytes[3] === 0) {
    throw new RfbError("it asks for pixels of another kind than 32 bits");
  }
  return { bigEndian: bytes[2] !== 0, shifts: [bytes[10]!, bytes[11]!, bytes[12]!] };
}

/** A whole picture as one update. */
function update(screen: DemoScreen, { bigEndian, shifts: [red, green, blue] }: PixelFormat): Uint8Array {
  const { rgb, width, height } = screen.draw(), bytes = new Uint8Array(16 + width * height * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, 1);
  view.setUint16(8, width);
  view.setUint16(10, height);
  for (let from = 0, to = 16; from < rgb.length; from += 3, to += 4) {
    const pixel = (rgb[from]! << red | rgb[from + 1]! << green | rgb[from + 2]! << blue) >>> 0;
    view.setUint32(to, pixel, !bigEndian);
  }
  return bytes;
}

/** One viewer of one screen. */
class Viewing {
  #format = OWN_FORMAT;
  #sent = -1;
  #isWaiting = false;
  #hasControl = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(private readonly connection: Deno.Conn, private readonly screen: DemoScreen) {}

  async serve(name: string): Promise<void> {
    const source = new ByteSource(async () => {
      const buffer = new Uint8Array(4096), count = await this.connection.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    });
    await this.#send(new TextEncoder().encode("RFB 003.008\n"));
    await source.exactly(12);
    await this.#send(new Uint8Array([1, NONE]));
    await source.exactly(1);
    await this.#send(new Uint8Array(4));
    await source.exactly(1); // ClientInit
    await this.#send(serverInit(name));
    const look = setInterval(() => this.#answerIfChanged(), LOOK_MS);
    try {
      for (;;) await this.#message(source);
    } finally {
      clearInterval(look);
    }
  }

  /** One after the other. */
  #send(bytes: Uint8Array): Promise<void> {
    return this.#writing = this.#writing.then(() => writeAll(this.connection, bytes));
  }

  #answerIfChanged(): void {
    if (!this.#isWaiting || this.#sent === this.screen.version) return;
    this.#isWaiting = false;
    this.#sent = this.screen.version;
    this.#send(update(this.screen, this.#format)).catch((error) => log.debug("a viewer is gone", { error }));
  }

  /** @throws {RfbError} for what no viewer says */
  async #message(source: ByteSource): Promise<void> {
    const [type] = await source.exactly(1);
    switch (type) {
      case 0: // SetPixelFormat
        this.#format = pixelFormat((await source.exactly(19)).subarray(3));
        return;
      case 2: { // SetEncodings
        const head = await source.exactly(3);
        await source.exactly((head[1]! << 8 | head[2]!) * 4);
        return;
      }
      case 3: { // FramebufferUpdateRequest
        const [isIncremental] = await source.exactly(9);
        if (isIncremental === 0) this.#sent = -1;
        this.#isWaiting = true;
        return this.#answerIfChanged();
      }
      case 4: { // KeyEvent
        const bytes = await source.exactly(7), isDown = bytes[0] !== 0;
        const keysym = new DataView(bytes.buffer, bytes.byteOffset).getUint32(3);
        if (CONTROL.has(keysym)) this.#hasControl = isDown;
        else if (isDown) this.screen.press(keysym, this.#hasControl);
        return;
      }
      case 5: // PointerEvent
        return void await source.exactly(5);
      case 6: { // ClientCutText
        await source.exactly(3);
        const length = await source.u32();
        if (length > MOST_TEXT) throw new RfbError("it sends too much text");
        return void await source.exactly(length);
      }
      default:
        throw new RfbError(`it sends a message of type ${type}`);
    }
  }
}

/** Serves a screen on a socket until it is disposed of. */
export function serveScreen(path: string, name: string, screen: () => DemoScreen): Disposable {
  const listener = Deno.listen({ transport: "unix", path });
  const open = new Set<Deno.Conn>();
  const serve = async (connection: Deno.Conn) => {
    open.add(connection);
    try {
      await new Viewing(connection, screen()).serve(name);
    } catch (error) {
      // It left, or is no viewer: either way it is over
      log.debug("a viewer of the demo has left", { name, error });
    } finally {
      open.delete(connection);
      close(connection);
    }
  };
  void (async () => {
    try {
      for await (const connection of listener) void serve(connection);
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) log.warn("a screen of the demo is gone", { error });
    }
  })();
  return {
    [Symbol.dispose]: () => {
      listener.close();
      for (const connection of open) close(connection);
    },
  };
}

/** Closes a connection that may be closed already. */
function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
