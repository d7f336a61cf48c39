/** An increment of a disk as it comes: a qcow2 file of its own that holds what comes, in order, and nothing else. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { type Piece, pieceMark, type SentDisk } from "../../lib/host/replication_protocol.ts";
import { MigrationNonsense } from "../../lib/host/migration_protocol.ts";
import { type Placed, Qcow2Layout } from "../../lib/formats/qcow2/layout.ts";
import { writeAll } from "../../lib/write_all.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";

const decompress = promisify(zstdDecompress);

/** Content of a piece. @throws {MigrationNonsense} for what is not as long as it says */
async function contentOf({ kind, length, payload }: Piece): Promise<Uint8Array<ArrayBuffer>> {
  let content = Uint8Array.from(payload);
  if (kind === "zstd") {
    try {
      content = Uint8Array.from(await decompress(payload, { maxOutputLength: length }));
    } catch (error) {
      throw new MigrationNonsense("a piece of a disk cannot be decompressed", { cause: error });
    }
  }
  if (content.length !== length) throw new MigrationNonsense("a piece of a disk is not as long as it says");
  return content;
}

export class DiskWriter implements Disposable {
  readonly #layout: Qcow2Layout;
  readonly #hash = createHash("sha256");
  #pieces = 0;
  #next = 0;

  private constructor(readonly path: string, bytes: number, private readonly file: Deno.FsFile) {
    this.#layout = new Qcow2Layout(bytes);
  }

  /** Makes the file. @param bytes size that a guest sees */
  static async make(path: string, bytes: number): Promise<DiskWriter> {
    const file = await hostFiles.open(plainPath(path), { createNew: true, write: true, mode: 0o600 });
    return new DiskWriter(path, bytes, file);
  }

  /** Takes a piece, each behind the one before. @returns bytes that were written @throws {MigrationNonsense} @throws {Error} from writing */
  async take(piece: Piece): Promise<number> {
    const { kind, offset, length } = piece;
    if (offset < this.#next) throw new MigrationNonsense("pieces of a disk are not in order");
    this.#next = offset + length;
    this.#pieces++;
    this.#hash.update(pieceMark(offset, length));
    if (kind === "zeros") return await this.#write(this.#layout.placeZeros(offset, length));
    const content = await contentOf(piece);
    this.#hash.update(content);
    return await this.#write(this.#layout.place(offset, content));
  }

  /** Whether anything came. */
  get hasContent(): boolean {
    return this.#pieces > 0;
  }

  /** Completes the file, which is on the disk then. @returns the number of its pieces, and their digest */
  async end(): Promise<Omit<SentDisk, "target">> {
    await this.#write(this.#layout.end());
    await this.file.sync();
    return { pieces: this.#pieces, digest: this.#hash.digest("hex") };
  }

  async #write(placed: readonly Placed[]): Promise<number> {
    for (const { offset, bytes } of placed) {
      await this.file.seek(offset, Deno.SeekMode.Start);
      await writeAll(this.file, bytes);
    }
    return placed.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}
