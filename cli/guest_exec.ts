/** `kvm-manager vm exec NAME -- PROGRAM`: runs a program in a VM's guest, as if it were here. */
import { EXEC_SECONDS, type ExecResult } from "../lib/contract/mod.ts";
import { writeAll } from "../lib/write_all.ts";
import { parsed } from "./arguments.ts";
import { ClipboardFilter } from "./clipboard_filter.ts";
import { serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { listed } from "./text.ts";
import { failed } from "./verb/failure.ts";
import { targetRows } from "./verb/help.ts";
import { withIds } from "./verb/resolve_ids.ts";
import { UsageError } from "./verb/values.ts";

const USAGE = "kvm-manager vm exec NAME|UUID [OPTIONS] -- PROGRAM [ARGUMENT]…";

export const EXEC_HELP = () =>
  [
    `Usage: ${USAGE}`,
    "",
    "Runs a program in a VM's guest through its agent, as the agent's user, and ends with its exit status.",
    "",
    ...listed([
      ["-i, --stdin", "give it what this reads from standard input, up to about 128 KiB"],
      ["--env NAME=VALUE", "a variable; may be given several times"],
      ["--seconds N", `end it after so many; ${EXEC_SECONDS.usual}, at most ${EXEC_SECONDS.most}`],
    ]),
    "",
    "Which server:",
    ...listed(targetRows()),
    "",
    "Examples:",
    "  kvm-manager vm exec web1 -- uname -a",
    "  kvm-manager vm exec web1 -- sh -c 'df -h | tail -1'",
  ].join("\n");

/** What standard input has. */
async function standardInput(): Promise<string> {
  return (await new Response(Deno.stdin.readable).bytes()).toBase64();
}

/** Writes what the guest writes, as it comes; a terminal gets nothing that would change its clipboard. */
function passer(to: typeof Deno.stdout | typeof Deno.stderr): (base64: string) => Promise<void> {
  const filter = to.isTerminal() ? new ClipboardFilter() : undefined;
  return async (base64) => {
    const bytes = Uint8Array.fromBase64(base64);
    await writeAll(to, filter?.read(bytes) ?? bytes);
  };
}

/** Runs a program in a guest; gives its exit status. */
export async function execCommand(args: readonly string[]): Promise<number> {
  try {
    const { positionals: [name, command, ...rest], values } = parsed(args, {
      ...TARGET_OPTIONS,
      stdin: { type: "boolean", short: "i" },
      env: { type: "string", multiple: true },
      seconds: { type: "string" },
    });
    if (name === undefined || command === undefined) {
      throw new UsageError("give a VM's name, and the program behind --", USAGE);
    }
    const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
    if (seconds !== undefined && !Number.isInteger(seconds)) {
      throw new UsageError("--seconds must be a number");
    }
    const server = serverOf(await targetOf(values));
    const { vmId } = await withIds(server, { vmId: name });
    const outputs = { stdout: passer(Deno.stdout), stderr: passer(Deno.stderr) };
    const { stdout, stderr, exitCode, timedOut, stdoutTruncated, stderrTruncated } = await server.follow(
      "guest_exec",
      {
        ...{ vmId, command, args: rest, encoding: "base64" },
        ...(values.env !== undefined && { env: values.env }),
        ...(seconds !== undefined && { seconds }),
        ...(values.stdin && { stdin: await standardInput() }),
      },
      async (line) => {
        if (typeof line.stdout === "string") await outputs.stdout(line.stdout);
        if (typeof line.stderr === "string") await outputs.stderr(line.stderr);
      },
    ) as ExecResult;
    await outputs.stdout(stdout);
    await outputs.stderr(stderr);
    if (stdoutTruncated || stderrTruncated) {
      console.error(
        "kvm-manager: it wrote more than is kept: the rest is lost. Have it write to a file, and copy that.",
      );
    }
    if (timedOut) console.error("kvm-manager: it was ended at its time limit (--seconds).");
    return exitCode;
  } catch (error) {
    return failed(error, ["vm", "exec"]);
  }
}
