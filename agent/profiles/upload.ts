/** Profiles that come by a browser: in a file of this process for the moment in which a command reads it. */
import { WRITTEN_ENDING } from "../../lib/profiles/file.ts";
import { tempFile } from "../machine/temp_file.ts";

/** Has a text read as a file, and removes that. @throws what `run` throws */
export async function withUploaded<T>(text: string, run: (input_path: string) => Promise<T>): Promise<T> {
  const file = await tempFile("kvm-manager-", text, WRITTEN_ENDING);
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is removed
  try {
    return await run(file.path);
  } finally {
    file[Symbol.dispose]();
  }
}
