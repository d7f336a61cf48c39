/**
 * A throwaway copy of this machine's file system, to install things into: an overlay in memory, seen by the processes
 * that are started in it alone, in namespaces of their own. Nothing of it reaches the machine, and nothing of it stays.
 * KVM Manager is not in it, whatever this machine has of it: installed, or served from its sources by start.sh.
 */
import { layoutOf, NAME } from "../../lib/system/install/layout.ts";
import { namespaces } from "./namespaces.ts";
import { exists } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/** Bash, as the first process: makes the overlay, waits for its standard input's end. */
const FIRST_PROCESS = `set -e
top=$1; project=$2; absent=$3; shift 3
mount -t tmpfs -o mode=755 throwaway "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay throwaway -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" "$top/root"
mount -t proc proc "$top/root/proc"
mount --rbind /sys "$top/root/sys"
mount --rbind /dev "$top/root/dev"
mount -t tmpfs -o mode=1777 tmp "$top/root/tmp"
for path in $absent; do rm -rf "$top/root$path"; done
for list in passwd group shadow gshadow; do sed -i "/^${NAME}:/d" "$top/root/etc/$list"; done
for path in "$@"; do mkdir -p "$top/root/$path"; mount --bind "$path" "$top/root/$path"; done
mkdir -p "$top/root/$project"
mount --bind "$project" "$top/root/$project"
mount -o remount,bind,ro "$top/root/$project"
ip link set lo up
echo ready
read -r _ || true`;

/** The sources, and what was built of them: readable in it, also where /tmp has them. */
const PROJECT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** Everything an installation consists of, below both prefixes. */
const ABSENT = (["/usr", "/usr/local"] as const).map(layoutOf).flatMap((layout) => [
  ...[layout.binary, layout.library, layout.unit, layout.sysusers, layout.tmpfiles],
  ...[layout.configDir, layout.dataDir, layout.keyDir, layout.runtimeDir, layout.cacheDir],
]);

/** Result of a program. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The copy; disposing of it ends every process in it. */
export class Throwaway implements AsyncDisposable {
  constructor(
    private readonly first: number,
    private readonly top: string,
    private readonly cleanup: AsyncDisposableStack,
  ) {}

  /** Id of its first process, as we see it: its namespaces are the copy's. */
  get pid(): number {
    return this.first;
  }

  /** The folder that is `/` in it, in its mounts alone. */
  get root(): string {
    return `${this.top}/root`;
  }

  /** The command line that runs a program in it, as root. */
  argv(...argv: string[]): string[] {
    const inside = ["nsenter", "--target", String(this.first), "--mount", "--net", "--pid", "--"];
    return [...inside, "chroot", `${this.top}/root`, "env", "-i", `PATH=${Deno.env.get("PATH")}`, ...argv];
  }

  /** Runs a program in it. Its status is the caller's to judge. */
  async run(...argv: string[]): Promise<Ran> {
    const [program, ...args] = this.argv(...argv);
    const { code, stdout, stderr } = await new Deno.Command(program!, { args, stdin: "null" }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, stdout: out!, stderr: err! };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup.disposeAsync();
  }
}

/**
 * Makes a copy.
 *
 * @param shared folders that are the machine's own in it
 * @throws {Unavailable} where overlays or namespaces cannot be made
 */
export async function throwaway(...shared: string[]): Promise<Throwaway> {
  if (Deno.uid() !== 0) throw new Unavailable("only root can make a throwaway copy of the file system");
  await using undo = new AsyncDisposableStack();
  const top = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  undo.defer(async () => {
    if (await exists(top)) await Deno.remove(top, { recursive: true });
  });
  const first = await namespaces(FIRST_PROCESS, [top, PROJECT, ABSENT.join(" "), ...shared], undo);
  return new Throwaway(first, top, undo.move());
}
