/** Our guest agent as a program that speaks on its standard input and output, under whatever stands for its system. */
import { OwnAgentClient } from "../../agent/guest/own/client.ts";
import { GUEST_TARGETS, type GuestTarget } from "../../lib/guest/tools/targets.ts";
import { buildAgent, goVersion } from "../../scripts/guest_agents.ts";

/** Milliseconds that a busy machine has for something small. */
export const SLOW = { limitMs: 120_000 };

/** Builds it for a system. Needs Go. */
export async function builtFor(name: GuestTarget["name"]): Promise<string> {
  return await buildAgent(GUEST_TARGETS.find((target) => target.name === name)!, (await goVersion())!);
}

/**
 * Starts it, and a conversation with it. Both end when it is disposed of.
 *
 * @param argv the emulator, the program, and more options than `--stdio`
 */
export async function agentProgram(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [command, ...args] = argv;
  const child = new Deno.Command(command!, {
    args: [...args, "--stdio"],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const client = await OwnAgentClient.open(
    { readable: child.stdout, writable: child.stdin },
    SLOW.limitMs,
  );
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await child.status; // a line that has ended ends it
    },
  };
}
