/** The command line: which verb does what. */
import type { AppHandler } from "./app.ts";
import { VERSION } from "../lib/version.ts";
import { CALL_HELP, callCommand } from "./call.ts";
import { CONSOLE_HELP, consoleCommand } from "./console.ts";
import { HOST_VERBS } from "./host_verbs.ts";
import { serve, SERVE_HELP } from "./serve.ts";
import { VERBS as CONTRACT_VERBS } from "./verb/find.ts";
import { listed } from "./verb/help.ts";
import { runVerb } from "./verb/run.ts";

interface Verb {
  readonly summary: string;
  readonly help: () => string;
  /** Gives the exit status. */
  readonly run: (args: readonly string[], app: AppHandler) => Promise<number>;
}

/** Verbs by name; every other verb is a command of the contract. */
const VERBS: Readonly<Record<string, Verb>> = {
  serve: { summary: "serve this host's machines in a browser", help: SERVE_HELP, run: serve },
  call: { summary: "carry out a command of the running server", help: CALL_HELP, run: callCommand },
  console: {
    summary: "open a VM's serial console in this terminal",
    help: CONSOLE_HELP,
    run: consoleCommand,
  },
  ...HOST_VERBS,
};

function usage(): string {
  return [
    `KVM Manager ${VERSION}`,
    "",
    "Usage: kvm-manager VERB [OPTIONS]",
    "",
    ...listed(Object.entries(VERBS).map(([name, verb]) => [name, verb.summary])),
    "",
    "Commands of the running server:",
    ...listed(CONTRACT_VERBS.map(({ words, command }) => [words.join(" "), command.summary])),
    "",
    "kvm-manager VERB --help tells more of a verb; kvm-manager --version tells the version.",
  ].join("\n");
}

/** Runs the command line; gives the exit status (0 done, 2 wrong usage, the others as the contract's errors say). */
export async function main(args: readonly string[], app: AppHandler): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--version" || name === "-V") {
    console.log(`kvm-manager ${VERSION}`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(usage());
    return name === undefined ? 2 : 0;
  }
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!verb) {
    const status = await runVerb(args);
    if (status !== undefined) return status;
    console.error(`kvm-manager: unknown verb ${JSON.stringify(name)}. See kvm-manager --help`);
    return 2;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    console.log(verb.help());
    return 0;
  }
  return await verb.run(rest, app);
}
