/** Whether paths are in the directories of a tool, with links followed on both sides. */
import type { ToolPermissions } from "../../lib/contract/mod.ts";
import { allowsPath, isPlainDirectory, limitsDirectories } from "../../lib/profiles/allowed.ts";

/** @param resolved gives a path with every link followed */
export async function allWithin(
  permissions: ToolPermissions | null,
  paths: readonly string[],
  resolved: (path: string) => Promise<string>,
): Promise<boolean> {
  if (!limitsDirectories(permissions) || paths.length === 0) return true;
  const real = await Promise.all(paths.map((path) => resolved(path)));
  const directories = permissions.allowed_directories.filter(isPlainDirectory);
  const allowed_directories = await Promise.all(directories.map((each) => resolved(each)));
  // None that is a path allows nothing, where none at all would allow everything
  return allowed_directories.length > 0 &&
    real.every((path) => allowsPath({ ...permissions, allowed_directories }, path));
}
