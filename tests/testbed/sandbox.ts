/**
 * Applies the product's systemd unit without systemd: its user, groups, capabilities and mounts, as the unit's own text
 * has them, by bubblewrap and setpriv. Not done: filters of system calls, address families, devices.
 */

/** Values of a directive, in order; one that is set to nothing forgets those before it. */
export function directives(unit: string, name: string): string[] {
  const values: string[] = [];
  for (const line of unit.split("\n")) {
    if (!line.startsWith(`${name}=`)) continue;
    const value = line.slice(name.length + 1).trim();
    if (value === "") values.length = 0;
    else values.push(...value.split(/\s+/));
  }
  return values;
}

/** Words of setpriv for capabilities: `CAP_KILL` is `+kill`. */
const setprivList = (names: readonly string[]) =>
  ["-all", ...names.map((name) => `+${name.replace(/^CAP_/, "").toLowerCase()}`)].join(",");

/** An empty, read-only folder in a folder's place. */
const hiddenFolder = (path: string) => ["--perms", "0000", "--tmpfs", path, "--remount-ro", path];

/** Changes of the sandbox for a test. */
export interface SandboxOptions {
  /** Without these capabilities. */
  readonly without?: readonly string[];
  /** Folders that the program may write to in addition to those of the unit, as by a drop-in. */
  readonly writable?: readonly string[];
}

/**
 * The command line that runs a program as the unit would.
 *
 * @param present paths that exist there, of those that are hidden or writable
 */
export function sandboxed(
  unit: string,
  present: (path: string) => boolean,
  options: SandboxOptions = {},
): string[] {
  const [user = "", strict, home, tmp] = ["User", "ProtectSystem", "ProtectHome", "PrivateTmp"].map((name) =>
    directives(unit, name)[0]
  );
  if (strict !== "strict" || home !== "yes" || tmp !== "yes") throw new Error("this sandbox is another one");
  const state = directives(unit, "StateDirectory").map((name) => `/var/lib/${name}`);
  const runtime = directives(unit, "RuntimeDirectory").map((name) => `/run/${name}`);
  const named = (name: string) =>
    directives(unit, name).map((path) => path.replace(/^-/, "")).filter(present);
  const writable = [...state, ...runtime, ...named("ReadWritePaths"), ...(options.writable ?? [])];
  const capabilities = directives(unit, "AmbientCapabilities").filter((name) =>
    !options.without?.includes(name)
  );
  const list = setprivList(capabilities);
  return [
    ...["bwrap", "--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"],
    ...writable.flatMap((path) => ["--bind", path, path]),
    ...["/home", "/root"].filter(present).flatMap(hiddenFolder),
    // A file is hidden behind an empty one, a folder behind an empty folder
    ...named("InaccessiblePaths").flatMap((path) =>
      /\.d$|\/ssh$/.test(path) ? hiddenFolder(path) : ["--ro-bind", "/dev/null", path]
    ),
    ...["--cap-add", "ALL", "--unshare-pid", "--die-with-parent", "--"],
    ...["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", "--no-new-privs"],
    ...[`--bounding-set=${list}`, `--inh-caps=${list}`, `--ambient-caps=${list}`, "--"],
    ...["env", ...directives(unit, "Environment")],
  ];
}
