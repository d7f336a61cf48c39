/** Finds the parts of a file with content and the holes: lseek(2), which Deno offers without SEEK_DATA. */
import { closeDescriptor, OPEN, openDescriptor } from "./file_descriptor.ts";
import { openLibc } from "./library.ts";

const SYMBOLS = {
  // A server of files that does not answer has it wait: in another thread than the one that serves.
  lseek: {
    parameters: ["i32", /* fd */ "i64", /* offset */ "i32" /* whence */],
    result: "i64",
    nonblocking: true,
  },
} as const satisfies Record<string, Deno.ForeignFunction>;

/** lseek(2): the same on x86-64 and aarch64. */
const SEEK_DATA = 3, SEEK_HOLE = 4;

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/** A file, opened to be asked where it has content. */
export class FileHoles implements Disposable {
  /** Range found last: a hole, and the content behind it. */
  #known = { from: 0, data: 0, end: 0 };

  private constructor(private readonly fd: number) {}

  /** @throws {Deno.errors.NotFound} for one that cannot be read: the error's number is lost between threads */
  static async open(path: string): Promise<FileHoles> {
    const fd = await openDescriptor(path, OPEN.READ);
    if (fd < 0) throw new Deno.errors.NotFound(`${path} is not there, or cannot be read`);
    return new FileHoles(fd);
  }

  /** A path that Deno's functions open the same file by. */
  get path(): string {
    return `/proc/${Deno.pid}/fd/${this.fd}`;
  }

  /**
   * Whether so many bytes from one on were never written: they are zeros. False where that is not known, as of a device, or
   * behind the file's end. Fast where it is asked in order.
   */
  async isHole(offset: number, length: number): Promise<boolean> {
    const { from, end } = this.#known;
    if (offset < from || offset >= end) this.#known = await this.#find(offset);
    const { data } = this.#known;
    return offset + length <= data;
  }

  async #find(from: number): Promise<{ readonly from: number; readonly data: number; readonly end: number }> {
    const data = await this.#seek(from, SEEK_DATA);
    if (data >= 0) return { from, data, end: await this.#seek(data, SEEK_HOLE) };
    // Nothing comes any more, or it cannot be told: where there is content, a hole begins behind it.
    const isHole = await this.#seek(from, SEEK_HOLE) === from;
    return { from, data: isHole ? Infinity : from, end: Infinity };
  }

  async #seek(offset: number, whence: number): Promise<number> {
    return Number(await libc().lseek(this.fd, BigInt(offset), whence));
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.fd);
  }
}
