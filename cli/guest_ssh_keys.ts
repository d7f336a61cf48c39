/** `kvm-manager vm ssh-key add NAME FILE`: the SSH keys that let in to an account in a VM's guest. */
import { ownHelp } from "./own_help.ts";
import { message } from "../lib/i18n/message.ts";
import { parsed } from "./arguments.ts";
import { serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { forEachVm } from "./each_vm.ts";
import { EXIT } from "./exit.ts";
import { unreadable } from "./unreadable.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { failed } from "./verb/failure.ts";
import { UsageError } from "./verb/values.ts";

const USAGE = "kvm-manager vm ssh-key list|add|remove NAME|UUID [FILE] [--user USER]";

export const SSH_KEY_HELP = () =>
  ownHelp({
    usage: USAGE,
    about: [
      message`Lists the SSH keys of an account in a VM's guest, adds those of a file, or removes them.`,
    ],
    options: [["--user USER", message`the account; root when left out`]],
    server: true,
    examples: [
      "kvm-manager vm ssh-key add web1 ~/.ssh/id_ed25519.pub",
      "kvm-manager vm ssh-key list web1 --user ann",
    ],
  });

/** The keys of a file with public keys. @throws {UsageError} */
async function keysOf(file: string): Promise<string[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new UsageError(unreadable("the key", file, error));
  }
  if (/PRIVATE KEY/.test(text)) {
    throw new UsageError(message`${file} is a private key: name the one that ends with .pub`);
  }
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

/** Reads its arguments. @throws {UsageError} */
export function readSshKey(args: readonly string[]) {
  const { positionals: [what, name, file, ...more], values } = parsed(args, {
    ...TARGET_OPTIONS,
    user: { type: "string" },
  });
  const isChange = what === "add" || what === "remove";
  if (!isChange && what !== "list" || name === undefined) {
    throw new UsageError("say list, add or remove, and a VM's name", USAGE);
  }
  if (isChange && file === undefined) {
    throw new UsageError("say which file: the one that ends with .pub", USAGE);
  }
  if (more.length > 0 || what === "list" && file !== undefined) {
    throw new UsageError(message`${more[0] ?? file} is one word too many`, USAGE);
  }
  return { what, name, file, values };
}

/** Lists or changes keys; gives the exit status. */
export async function sshKeyCommand(args: readonly string[]): Promise<number> {
  try {
    const { what, name, file, values } = readSshKey(args);
    const { user = "root" } = values;
    const sshKeys = file === undefined ? [] : await keysOf(file);
    const server = serverOf(await targetOf(values));
    return await forEachVm(server, name, async ({ vmId, name, isOneOfSeveral }) => {
      if (what === "list") {
        const keys = await server.call("guest_ssh_keys", { vmId, user }) as { key: string }[];
        for (const { key } of keys) {
          console.log(escapeControlCharacters(isOneOfSeveral ? `${name}: ${key}` : key));
        }
      } else await server.call("guest_change_ssh_keys", { vmId, user, change: what, sshKeys });
      return EXIT.done;
    });
  } catch (error) {
    return failed(error, ["vm", "ssh-key"]);
  }
}
