/** The command line: which verb does what. */
import type { AppHandler } from "./app.ts";
import { COMMANDS, EVENTS } from "../lib/contract/mod.ts";
import { VERSION } from "../lib/version.ts";
import { CALL_HELP, callCommand } from "./call.ts";
import { complete, completion, COMPLETION_HELP } from "./completion/mod.ts";
import { SHELLS } from "./completion/scripts.ts";
import { CONSOLE_HELP, consoleCommand } from "./console.ts";
import { context, CONTEXT_HELP, login, LOGIN_HELP, logout, LOGOUT_HELP } from "./login.ts";
import { events, EVENTS_HELP, openapi, OPENAPI_HELP } from "./follow.ts";
import { man, MAN_HELP } from "./man.ts";
import { HOST_VERBS } from "./host_verbs.ts";
import { serve, SERVE_HELP } from "./serve.ts";
import { VERBS as CONTRACT_VERBS, verbsUnder } from "./verb/find.ts";
import { listed } from "./verb/help.ts";
import { runVerb } from "./verb/run.ts";

interface Verb {
  readonly summary: string;
  readonly help: () => string;
  /** Words that may follow it, for completion. */
  readonly words?: readonly string[];
  /** Gives the exit status. */
  readonly run: (args: readonly string[], app: AppHandler) => Promise<number>;
}

/** Verbs by name; every other verb is a command of the contract. */
const VERBS: Readonly<Record<string, Verb>> = {
  serve: { summary: "serve this host's machines in a browser", help: SERVE_HELP, run: serve },
  call: {
    summary: "carry out a command of the running server",
    help: CALL_HELP,
    words: Object.keys(COMMANDS),
    run: callCommand,
  },
  console: {
    summary: "open a VM's serial console in this terminal",
    help: CONSOLE_HELP,
    run: consoleCommand,
  },
  login: {
    summary: "remember a server elsewhere, and an API token for it",
    help: LOGIN_HELP,
    run: (args) => login(args),
  },
  logout: { summary: "forget a server", help: LOGOUT_HELP, run: logout },
  context: {
    summary: "list servers, or say which verbs are for",
    help: CONTEXT_HELP,
    words: ["list", "use"],
    run: context,
  },
  events: {
    summary: "follow what happens, as lines of JSON",
    help: EVENTS_HELP,
    words: Object.keys(EVENTS),
    run: events,
  },
  openapi: { summary: "print the description of the API", help: OPENAPI_HELP, run: openapi },
  completion: {
    summary: "print what a shell needs to complete",
    help: COMPLETION_HELP,
    words: Object.keys(SHELLS),
    run: completion,
  },
  man: {
    summary: "print the manual page",
    help: MAN_HELP,
    run: () => man(Object.entries(VERBS).map(([name, { help }]) => [name, help()])),
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
  if (name === "__complete") return await complete(rest, VERBS);
  // A console is no answer to print: `vm console web1` is what `console web1` is.
  if (name === "vm" && rest[0] === "console") return await main(["console", ...rest.slice(1)], app);
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!verb) {
    const status = await runVerb(args);
    if (status !== undefined) return status;
    const isGroup = verbsUnder([name]).length > 0;
    const said = JSON.stringify(
      isGroup ? args.filter((each) => !each.startsWith("-")).slice(0, 2).join(" ") : name,
    );
    console.error(`kvm-manager: unknown verb ${said}. See kvm-manager ${isGroup ? `${name} ` : ""}--help`);
    return 2;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    console.log(verb.help());
    return 0;
  }
  return await verb.run(rest, app);
}
