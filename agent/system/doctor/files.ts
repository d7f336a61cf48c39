import { isThere } from "../../machine/files.ts";

/** Those of some paths that exist. What may not be seen is an error: it is unknown. */
export async function there(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) if (await isThere(path)) found.push(path);
  return found;
}
