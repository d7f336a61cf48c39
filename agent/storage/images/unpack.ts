/**
 * Unpacking a stream on its way: gzip by the runtime's zlib; xz, zstd and bzip2 by the tools of those names, which every
 * distribution has (no library for them is kept well enough to read hostile input). Memory stays flat; a tool may take
 * so much and no more.
 */
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import zlib from "node:zlib";
import { ContractError } from "../../../lib/contract/mod.ts";
import { PACKING_NAMES, type PackingName } from "../../../lib/formats/content_kind.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { log } from "../../log.ts";
import { killAndWait } from "../../machine/programs.ts";
import { message } from "../../../lib/i18n/message.ts";

/** A way of packing: the end of its files' names, and what undoes it. */
interface Packing {
  readonly ending: string;
  readonly ends: RegExp;
  readonly unpack: (packed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/** Most memory the zstd tool may take: what it takes by default. */
const ZSTD_MEMORY = "--memory=128MB";
/** Most memory the xz tool may take. */
const XZ_MEMORY = "256MiB";

const PACKINGS: Readonly<Record<PackingName, Packing>> = {
  gzip: {
    ending: ".gz",
    ends: /\.gz$/i,
    unpack: (packed) => through(packed, zlib.createGunzip()),
  },
  zstd: {
    ending: ".zst",
    ends: /\.zst$/i,
    // The runtime's own takes a file that is cut short for a whole one (Deno 2.9).
    unpack: (packed) => tool(packed, "zstd", ["--decompress", "--stdout", "--quiet", ZSTD_MEMORY]),
  },
  xz: {
    ending: ".xz",
    ends: /\.xz$/i,
    unpack: (packed) =>
      tool(packed, "xz", ["--decompress", "--stdout", "--format=xz", `--memlimit-decompress=${XZ_MEMORY}`]),
  },
  bzip2: {
    ending: ".bz2",
    ends: /\.bz2$/i,
    unpack: (packed) => tool(packed, "bzip2", ["--decompress", "--stdout"]),
  },
};

/** A file's name as it is when it is unpacked. */
export function unpackedName(name: string): string {
  const packing = PACKING_NAMES.find((each) => PACKINGS[each].ends.test(name));
  return packing === undefined ? name : name.replace(PACKINGS[packing].ends, "");
}

/** A name that says how the file is packed, and which {@link unpackedName} leads back from. */
export const packedName = (name: string, packing: PackingName): string =>
  unpackedName(name) === name ? `${name}${PACKINGS[packing].ending}` : name;

/**
 * Unpacks a stream.
 *
 * @throws {ContractError} ImageUnpackFailed, NotOnThisHost @throws errors of the packed stream
 */
export async function* unpacked(
  packed: AsyncIterable<Uint8Array>,
  packing: PackingName,
): AsyncGenerator<Uint8Array> {
  let source: { readonly failure: unknown } | undefined;
  // Asked by hand: where the unpacking ends before the stream does, the stream is not to be closed.
  const stream = packed[Symbol.asyncIterator]();
  const watched = async function* () {
    try {
      for (let next = await stream.next(); !next.done; next = await stream.next()) yield next.value;
    } catch (failure) {
      source = { failure };
      throw failure;
    }
  };
  try {
    yield* PACKINGS[packing].unpack(watched());
  } catch (error) {
    if (source !== undefined) throw source.failure;
    if (error instanceof ContractError) throw error;
    const text = messageOf(error);
    throw new ContractError("ImageUnpackFailed", { format: packing, error: text }, { cause: error });
  }
}

/** Passes a stream through a transform of node's. */
async function* through(
  packed: AsyncIterable<Uint8Array>,
  transform: zlib.Gunzip,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(packed, { objectMode: false });
  source.on("error", (error) => transform.destroy(error));
  source.pipe(transform);
  try {
    for await (const piece of transform) yield piece as Uint8Array;
  } finally {
    source.destroy();
    transform.destroy();
  }
}

/** Passes a stream through a program. It is ended when the reader stops. */
async function* tool(
  packed: AsyncIterable<Uint8Array>,
  program: string,
  args: string[],
): AsyncGenerator<Uint8Array> {
  const child = start(program, args);
  const feeding = feed(packed, child.stdin);
  // Told when the output has ended; until then it must not count as unhandled.
  feeding.catch(() => {});
  const errors = new Response(child.stderr).text();
  try {
    for await (const piece of child.stdout) yield piece;
    const { success } = await child.status;
    if (!success) {
      await feeding;
      const [said = ""] = (await errors).trim().split("\n");
      throw new Error(said.slice(0, 300) || `${program} failed`);
    }
    await feeding;
  } finally {
    const hasEnded = await killAndWait(child, program);
    const told = errors.catch((error) => log.debug("what a program said is lost", { program, error }));
    if (hasEnded) await told;
  }
}

function start(program: string, args: string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
    })
      .spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const reason = `the program ${program} is not installed`;
    throw new ContractError("NotOnThisHost", { what: message`Unpacking ${program}`, reason }, {
      cause: error,
    });
  }
}

/** Writes everything to a program. Its own end, before it was given all, is told by its status. */
async function feed(packed: AsyncIterable<Uint8Array>, stdin: WritableStream<Uint8Array>): Promise<void> {
  const writer = stdin.getWriter();
  try {
    for await (const piece of packed) {
      try {
        await writer.write(Buffer.from(piece));
      } catch (error) {
        log.debug("a program took no more", { error });
        return;
      }
    }
    await writer.close().catch((error) => log.debug("a program had ended", { error }));
  } catch (error) {
    // What it has so far is no whole file: it must not end as if it were.
    await writer.abort(error).catch(() => {});
    throw error;
  }
}
