/** KVM Manager's own files on the host: its program, its state, its sockets and keys. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ClosedFolder } from "../lib/vm/shared_folders.ts";
import type { Settings } from "./settings.ts";

/** The folder of a program, which is made of more files than one; a program in the root of the host is its file. */
function folderOf(path: string): string {
  const folder = dirname(path);
  return folder === "/" ? path : folder;
}

/** Files that this process was made of. */
function programFiles(): string[] {
  const { mainModule } = Deno;
  return [
    Deno.execPath(),
    ...mainModule.startsWith("file:") ? [fileURLToPath(mainModule)] : [],
    Deno.env.get("KVMM_BINARY") ?? "",
  ].filter((path) => path.startsWith("/"));
}

/** All of it that has a path. */
export function ownPlaces(
  { dataDir, runtimeDir, tlsCert, tlsKey }: Pick<Settings, "dataDir" | "runtimeDir" | "tlsCert" | "tlsKey">,
): ClosedFolder[] {
  const told: readonly (readonly [path: string, what: string])[] = [
    [dataDir, "the data folder of KVM Manager"],
    [runtimeDir, "the runtime folder of KVM Manager"],
    [tlsCert, "the TLS certificate of KVM Manager"],
    [tlsKey, "the TLS key of KVM Manager"],
    ...programFiles().map((path) => [folderOf(path), "the program of KVM Manager"] as const),
    [Deno.env.get("KVMM_CACHE_DIR") ?? "", "the program of KVM Manager"],
    [Deno.env.get("KVMM_CONFIG") ?? "", "the settings of KVM Manager"],
  ];
  return told.filter(([path]) => path.startsWith("/")).map(([path, what]) => ({ path, what }));
}
