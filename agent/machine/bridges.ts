/** Bridges of the machine we run on. */
import { hostInterfaces } from "./interfaces.ts";
import { isLocal } from "./local_uri.ts";

/** Names of this machine's bridges; undefined for another's, which cannot be seen. */
export async function hostBridges(uri: string): Promise<Set<string> | undefined> {
  if (!isLocal(uri)) return undefined;
  return new Set((await hostInterfaces()).filter(({ bridge }) => bridge).map(({ name }) => name));
}
