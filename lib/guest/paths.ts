/** Paths inside guests, as pages put them together. Pure. */

/** Whether a path is one of Windows. */
export const isWindows = (path: string) => /^[A-Za-z]:/.test(path);

/** Something in a folder. */
export function inFolder(folder: string, name: string): string {
  const separator = isWindows(folder) ? "\\" : "/";
  return `${
    folder.replace(/[/\\]+$/, (ends) => isWindows(folder) || !ends.includes("\\") ? "" : ends)
  }${separator}${name}`;
}

/** A step on the way to a folder. */
export interface PathStep {
  readonly name: string;
  readonly path: string;
}

/** The way to a folder, from the root on. */
export function stepsTo(path: string): PathStep[] {
  const parts = path.split(isWindows(path) ? /[/\\]+/ : /\/+/).filter((part) => part !== "");
  const steps: PathStep[] = isWindows(path)
    ? [{ name: parts[0]!, path: `${parts.shift()!}\\` }]
    : [{ name: "/", path: "/" }];
  for (const name of parts) steps.push({ name, path: inFolder(steps.at(-1)!.path, name) });
  return steps;
}

/** Address of a guest file's content: the contract's `GUEST_CONTENT_PATH`, which no island can import. */
export const contentHref = (vmId: string, path: string): string =>
  `/api/v1/vms/${encodeURIComponent(vmId)}/guest/content?path=${encodeURIComponent(path)}`;
