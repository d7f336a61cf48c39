/** Namespaces of a test's own (mounts, processes, network), which end with our end of the first process's standard input. */
import { run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/**
 * Starts a shell script as the first process of new namespaces, and waits for it to say `ready`.
 *
 * @param undo is given what ends it
 * @param options whether it has a network of its own, or this machine's
 * @returns the id of that process as we see it
 * @throws {Unavailable} where there can be none here
 */
export async function namespaces(
  script: string,
  args: readonly string[],
  undo: AsyncDisposableStack,
  { ownNetwork = true } = {},
): Promise<number> {
  const child = new Deno.Command("unshare", {
    args: [
      "--mount",
      "--pid",
      ...ownNetwork ? ["--net"] : [],
      "--fork",
      "--kill-child",
      "--mount-proc",
      "--propagation",
      "private",
      ...["bash", "-c", script, "bash", ...args],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  undo.defer(async () => {
    await child.stdin.close();
    await child.status;
  });
  const said = child.stdout.getReader();
  const { value } = await said.read();
  undo.defer(() => said.cancel());
  if (new TextDecoder().decode(value) !== "ready\n") {
    throw new Unavailable(`no namespaces here: ${(await stderr).trim()}`);
  }
  return Number((await run(["cat", `/proc/${child.pid}/task/${child.pid}/children`])).trim());
}
