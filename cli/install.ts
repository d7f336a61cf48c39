/** `kvm-manager install`, `upgrade` and `uninstall`: the program on this host, or in a folder that becomes one. */
import { ownHelp } from "./own_help.ts";
import { message, render, type Sentence } from "../lib/i18n/message.ts";
import { resolve } from "node:path";
import { ownBinary } from "../agent/machine/own_binary.ts";
import {
  install,
  installed,
  type InstallTarget,
  pathBelowRoot,
  rollback,
} from "../agent/system/install/install.ts";
import { InstallError } from "../agent/system/install/steps.ts";
import { lossOf, uninstall } from "../agent/system/install/uninstall.ts";
import { parseListen } from "../lib/network/listen_address.ts";
import { layoutOf } from "../lib/system/install/layout.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { optionsAlone } from "./arguments.ts";
import { askAtTerminal } from "./confirm.ts";
import { runHostCommand } from "./host_verb.ts";

const { t } = textsOf(shell);

const WHERE = [
  ["--root DIR", message`into a folder that stands for /: no account is made, nothing is started`],
  ["--prefix DIR", message`/usr/local (the default) or /usr`],
] as const;

const PACKAGE = ["--package", message`do only what a package manager does not: for its scripts`] as const;

export const INSTALL_HELP = () =>
  ownHelp({
    usage: "kvm-manager install [OPTIONS]",
    about: [
      message`Installs this file as a service: the program, a user of its own, folders, a systemd unit, which is started. Needs no network. Twice is as good as once; what fails is undone.`,
    ],
    options: [...WHERE, ["--no-start", message`do not start the service, nor at boot`], [
      "--binary FILE",
      message`install this file instead of the one that runs`,
    ], [
      "--listen ADDR",
      message`where the service listens (https://0.0.0.0:8006), unless there are settings already`,
    ], PACKAGE],
  });

export const UPGRADE_HELP = () =>
  ownHelp({
    usage: "kvm-manager upgrade [OPTIONS]",
    about: [
      message`Run from the new file: puts it in the place of the installed one, and restarts the service. Settings and data stay; the program before it is kept. Nothing that is older than the database is installed.`,
    ],
    options: [
      ["--rollback", message`go back to the program before the last upgrade`],
      ["--no-start", message`do not restart the service`],
      ["--binary FILE", message`take this file instead of the one that runs`],
      ...WHERE,
    ],
  });

export const UNINSTALL_HELP = () =>
  ownHelp({
    usage: "kvm-manager uninstall [OPTIONS]",
    about: [
      message`Stops the service and removes the program. Settings and data stay; VMs, disks and networks are libvirt's, and stay in any case.`,
    ],
    options: [
      ["--purge", message`remove settings, data and the user as well`],
      ["--yes", message`do not ask`],
      ...WHERE,
      PACKAGE,
    ],
  });

const OPTIONS = {
  root: { type: "string" },
  prefix: { type: "string" },
  binary: { type: "string" },
  listen: { type: "string" },
  package: { type: "boolean" },
  "no-start": { type: "boolean" },
  rollback: { type: "boolean" },
  purge: { type: "boolean" },
  yes: { type: "boolean" },
} as const;
type Flag = keyof typeof OPTIONS;

const FLAGS = {
  install: ["root", "prefix", "binary", "listen", "package", "no-start"],
  upgrade: ["root", "prefix", "binary", "no-start", "rollback"],
  uninstall: ["root", "prefix", "package", "purge", "yes"],
} as const satisfies Record<string, readonly Flag[]>;

/** Reads the arguments of one of the three. @throws {Error} that says what is wrong */
export function readInstall(verb: keyof typeof FLAGS, args: readonly string[]) {
  const options = Object.fromEntries(FLAGS[verb].map((flag) => [flag, OPTIONS[flag]]));
  const values = optionsAlone(args, options) as {
    [F in Flag]?: (typeof OPTIONS)[F]["type"] extends "string" ? string : boolean;
  };
  const isPackage = values.package ?? false;
  const prefix = values.prefix ?? (isPackage ? "/usr" : "/usr/local");
  if (prefix !== "/usr" && prefix !== "/usr/local") {
    throw new Error(render(message`--prefix is /usr or /usr/local`));
  }
  const root = values.root === undefined ? "" : resolve(values.root);
  const target: InstallTarget = {
    layout: layoutOf(prefix),
    // A package's script is told / where there is no other root
    root: root === "/" ? "" : root,
    isPackage,
    start: values["no-start"] !== true,
    // @throws for what is no address
    listen: values.listen === undefined ? undefined : (parseListen(values.listen), values.listen),
  };
  return { values, target };
}

/** The file to install: the one that runs, where it is one file. */
function binaryOf(named: string | undefined): string {
  if (named !== undefined) return resolve(named);
  const own = ownBinary();
  if (own === undefined) {
    throw new InstallError(
      "this runs from source, which is not one file: deno task build, then dist/kvm-manager install",
    );
  }
  return own;
}

const say = (line: Sentence) => console.log(`  ${render(line)}`);

/** Next steps after an installation. */
const NEXT = [
  message`See what this host lacks: kvm-manager doctor`,
  message`Make the first administrator: kvm-manager setup-link`,
];

export const installCommand = (args: readonly string[]) =>
  runHostCommand("install", () => readInstall("install", args), InstallError, async ({ values, target }) => {
    const { version } = await install(target, binaryOf(values.binary), say);
    console.log(render(message`KVM Manager ${version} is installed.`));
    if (target.root === "" && !target.isPackage) { for (const line of NEXT) console.log(render(line)); }
    return 0;
  });

export const upgradeCommand = (args: readonly string[]) =>
  runHostCommand("upgrade", () => readInstall("upgrade", args), InstallError, async ({ values, target }) => {
    const before = await installed(target);
    if (!before) {
      throw new InstallError(
        render(
          message`nothing is installed at ${
            pathBelowRoot(target, target.layout.binary)
          }: kvm-manager install. What a package manager installed, it upgrades`,
        ),
      );
    }
    const { version } = values.rollback === true
      ? await rollback(target, say)
      : await install(target, binaryOf(values.binary), say);
    console.log(`KVM Manager ${before.version} → ${version}.`);
    return 0;
  });

export const uninstallCommand = (args: readonly string[]) =>
  runHostCommand(
    "uninstall",
    () => readInstall("uninstall", args),
    InstallError,
    async ({ values, target }) => {
      const purge = values.purge === true;
      if (
        values.yes !== true && !target.isPackage &&
        !askAtTerminal(render(message`Remove KVM Manager? ${lossOf(target, purge)}.`))
      ) {
        console.error(t("shell.nothing_done"));
        return 1;
      }
      await uninstall(target, purge, say);
      console.log(render(message`KVM Manager is removed. VMs, disks and networks stay.`));
      return 0;
    },
  );
