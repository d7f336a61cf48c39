/** `kvm-manager completion SHELL`, and what the shells ask it for. */
import { ownHelp } from "../own_help.ts";
import { translated } from "../../lib/i18n/locale.ts";
import { message } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";
import { serverOf } from "../connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "../connect/target.ts";
import { EXIT } from "../exit.ts";
import { parseOrExit } from "../host_verb.ts";
import type { OwnVerb } from "../own_verb.ts";
import { UsageError } from "../verb/values.ts";
import { candidates } from "./candidates.ts";
import { SHELLS } from "./scripts.ts";

export const COMPLETION_HELP = () =>
  ownHelp({
    usage: `kvm-manager completion ${Object.keys(SHELLS).join("|")}`,
    about: [
      message`Prints what a shell needs to complete verbs, options, and the names of VMs, pools and networks.`,
    ],
    examples: [
      "source <(kvm-manager completion bash)                                            # this shell",
      "kvm-manager completion bash > /etc/bash_completion.d/kvm-manager                 # every bash",
      "kvm-manager completion zsh > /usr/local/share/zsh/site-functions/_kvm-manager    # every zsh",
      "kvm-manager completion fish > ~/.config/fish/completions/kvm-manager.fish        # your fish",
    ],
  });

/** Gives the script of the shell that is named. @throws {UsageError} */
export function readCompletion(args: readonly string[]): string {
  const script = args.length === 1 && Object.hasOwn(SHELLS, args[0]!) ? SHELLS[args[0]!] : undefined;
  if (script === undefined) throw new UsageError(message`say ${Object.keys(SHELLS).join(", ")}`);
  return script;
}

/** Prints a shell's script. */
export function completion(args: readonly string[]): Promise<number> {
  const script = parseOrExit(EXIT.usage, "completion", () => ({ text: readCompletion(args) }));
  if (typeof script === "number") return Promise.resolve(script);
  console.log(script.text.trimEnd());
  return Promise.resolve(EXIT.done);
}

/** Milliseconds somebody who pressed Tab waits for names. */
const COMPLETION_WAIT_MS = 2000;

/** The option of a line that says which server names come from, if it does. */
function targetValues(line: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const flag of Object.keys(TARGET_OPTIONS)) {
    const at = line.indexOf(`--${flag}`);
    if (at >= 0 && at + 2 < line.length) values[flag] = line[at + 1]!;
  }
  return values;
}

/** Prints what may come next, one a line, with what it means behind a tab. */
export async function complete(
  line: readonly string[],
  others: Readonly<Record<string, OwnVerb>>,
): Promise<number> {
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error("too late")), COMPLETION_WAIT_MS)
  );
  try {
    const ask = async (command: string, input: unknown) => {
      const server = serverOf(await targetOf(targetValues(line)));
      return await Promise.race([server.call(command, input), late]);
    };
    const found = await candidates(line, others, ask);
    if (found === "files") console.log(":files");
    else for (const [word, text] of found) console.log(`${word}\t${text.replace(/\s+/g, " ")}`);
    Deno.exit(EXIT.done); // not before `late`, otherwise
  } catch (error) {
    // On standard error, which shells throw away: whoever asks by hand sees why nothing comes.
    console.error(`kvm-manager: ${translated(messageOf(error))}`);
    Deno.exit(EXIT.failed);
  }
}
