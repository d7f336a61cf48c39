/**
 * Names of test things, and who made them.
 *
 * Everything a test makes on the host is called `kvmm-test-<purpose>-<random>`. The name is claimed by a file that
 * holds the maker's process, so that a sweep tells the leftovers of a crashed run from what another run still uses.
 */
import { exists } from "./process.ts";

/** Prefix of all test objects' names. */
export const PREFIX = "kvmm-test-";

/** The folder of the test bed on this machine: guest cache, disks, claims. `KVMM_TESTBED_DIR` moves it. */
export function testbedDir(): string {
  return Deno.env.get("KVMM_TESTBED_DIR") ?? "/var/tmp/kvmm-testbed";
}

/** Whether a name is that of a test thing. */
export function isTestName(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * A new name, claimed by this process. Things named `<name>-…` belong to the claim too.
 *
 * @param purpose what it is for; anything but letters, digits and hyphens becomes a hyphen
 */
export async function testName(purpose: string): Promise<string> {
  const word = purpose.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 24) ||
    "thing";
  const name = `${PREFIX}${word}-${crypto.randomUUID().slice(0, 8)}`;
  await Deno.mkdir(claimsDir(), { recursive: true });
  // Whole from its first moment: a claim without its maker would be taken for one whose maker is gone
  const part = `${testbedDir()}/${name}.part`;
  await Deno.writeTextFile(part, `${Deno.pid} ${await startTime(Deno.pid)}\n`);
  await Deno.rename(part, `${claimsDir()}/${name}`);
  return name;
}

/** Gives a name back once nothing is called that any more. */
export async function releaseName(name: string): Promise<void> {
  const claim = `${claimsDir()}/${name}`;
  if (await exists(claim)) await Deno.remove(claim);
}

/** The folder for the files of one test thing. */
export function filesOf(name: string): string {
  return `${testbedDir()}/files/${name}`;
}

/** Names claimed by processes that are still alive, and claims whose maker is gone. */
export async function claims(): Promise<{ live: string[]; dead: string[] }> {
  const live: string[] = [];
  const dead: string[] = [];
  if (!await exists(claimsDir())) return { live, dead };
  for await (const { name } of Deno.readDir(claimsDir())) {
    const [pid, started] = (await readOrEmpty(`${claimsDir()}/${name}`)).trim().split(" ");
    const alive = started !== undefined && await startTime(Number(pid)) === started;
    (alive ? live : dead).push(name);
  }
  return { live, dead };
}

function claimsDir(): string {
  return `${testbedDir()}/claims`;
}

/** When a process started, in clock ticks since boot: with the pid it names a process for good. proc(5), field 22. */
async function startTime(pid: number): Promise<string | null> {
  const stat = await readOrEmpty(`/proc/${pid}/stat`);
  // The command name (field 2) may contain blanks and brackets; fields are counted from its last bracket.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return ""; // ended, or released, in between
    throw error;
  }
}
