/** Small files of this process in the system's temporary folder, for programs that take no other input or output. */
import { log } from "../log.ts";

/** One, removed when it is disposed of. */
export interface TempFile extends Disposable {
  readonly path: string;
  /** Content that a program has written to it. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Makes one that this user alone may read. @throws system errors */
export async function tempFile(prefix: string, text = "", suffix = ""): Promise<TempFile> {
  const path = await Deno.makeTempFile({ prefix, suffix });
  const remove = () =>
    Deno.remove(path).catch((error) => log.warn("a temporary file stays", { path, error }));
  try {
    if (text !== "") await Deno.writeTextFile(path, text);
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, bytes: () => Deno.readFile(path), [Symbol.dispose]: () => void remove() };
}
