/** `virsh` as a witness: it shares no code with the product. */
import { ProcessError, run } from "./process.ts";
import { spend } from "./times.ts";
import { VirshShell } from "./virsh_shell.ts";

/** The connection that every helper of the test bed uses: the machine's libvirt, unless {@link connectTo} says another. */
export let URI = "qemu:///system";

let shell = VirshShell.begin(URI);

/** Has every helper use this connection from now on. Called by `own_libvirtd.ts` alone, before the first test. */
export function connectTo(uri: string): void {
  URI = uri;
  shell = VirshShell.begin(uri);
}

/**
 * Runs virsh against {@link URI}, each argument as it is.
 *
 * @returns what it printed, without blanks around it
 * @throws {ProcessError} when it fails; `stderr` has libvirt's message
 */
export async function virsh(...args: string[]): Promise<string> {
  return (await spend("virsh", () => askVirsh(args), args[0])).trim();
}

async function askVirsh(args: readonly string[]): Promise<string> {
  const argv = ["virsh", "--quiet", "--connect", URI, ...args];
  const answer = shell?.canTake(args) ? await shell.take(args) : null;
  if (answer === null) return await run(argv);
  if (/^error:/m.test(answer.stderr)) throw new ProcessError(argv, 1, answer.stderr);
  return answer.stdout;
}

/** Has virsh read XML with one of its commands: `define`, `nwfilter-define`. @throws {ProcessError} */
export async function virshXml(command: string, xml: string): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    await Deno.writeTextFile(file, xml);
    await virsh(command, file);
  } finally {
    await Deno.remove(file);
  }
}

/** Like {@link virsh}, but when libvirt's message matches `harmless` the failure is answered with null. */
export async function virshUnless(harmless: RegExp, ...args: string[]): Promise<string | null> {
  try {
    return await virsh(...args);
  } catch (error) {
    if (error instanceof ProcessError && harmless.test(error.stderr)) return null;
    throw error;
  }
}

/**
 * Runs many virsh commands in one process, which is about thirty times as fast as one process each.
 * A command that fails does not stop the ones after it.
 *
 * @param commands command lines; arguments must not hold anything that virsh's own parser would take apart
 * @param harmless messages that are no failure
 * @throws {Error} with the first other messages, once all were tried
 */
export async function virshBatch(commands: readonly string[], harmless?: RegExp): Promise<void> {
  if (commands.length === 0) return;
  const child = new Deno.Command("virsh", {
    args: ["--quiet", "--connect", URI],
    env: { LC_ALL: "C" },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(commands.join("\n") + "\n"));
  await writer.close();
  // Reading commands, virsh ends with 0 whatever became of them: its messages are the only sign.
  const errors = new TextDecoder().decode((await output).stderr).split("\n").filter((line) =>
    line.startsWith("error:") && !/^error: Failed to [^:]*$/.test(line) && harmless?.test(line) !== true
  );
  if (errors.length > 0) throw new Error(`virsh: ${errors.slice(0, 5).join("\n")} (${errors.length} failed)`);
}
