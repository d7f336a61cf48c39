/** Profiles that come by a browser: in a file of this process for the moment in which a command reads it. */
import { WRITTEN_ENDING } from "../../lib/profiles/file.ts";

/** Has a text read as a file, and removes that. @throws what `run` throws */
export async function withUploaded<T>(text: string, run: (input_path: string) => Promise<T>): Promise<T> {
  const input_path = await Deno.makeTempFile({ prefix: "kvm-manager-", suffix: WRITTEN_ENDING });
  try {
    await Deno.writeTextFile(input_path, text);
    return await run(input_path);
  } finally {
    await Deno.remove(input_path);
  }
}
