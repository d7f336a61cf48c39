/** `kvm-manager vm edit NAME`: a VM's libvirt XML in an editor, checked before it is taken, as `virsh edit` does. */
import { ownHelp } from "./own_help.ts";
import { message, render } from "../lib/i18n/message.ts";
import type { XmlProblem } from "../lib/contract/mod.ts";
import { ApiError } from "../lib/client/api.ts";
import { agrees } from "./confirm.ts";
import { parsed } from "./arguments.ts";
import { type Server, serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { EXIT } from "./exit.ts";
import { TERMINAL, type Terminal } from "./terminal.ts";
import { failed } from "./verb/failure.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { resolveIds } from "./verb/resolve_ids.ts";
import { UsageError } from "./verb/values.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

export const EDIT_HELP = () =>
  ownHelp({
    usage: "kvm-manager vm edit NAME|UUID [OPTIONS]",
    about: [
      message`Opens the XML of a VM's next start in an editor (VISUAL, EDITOR, else vi). What is saved is checked against libvirt's schemas; where it is wrong, the line is told, and it can be edited again. A running VM takes it at its next start. If somebody else changed the VM meanwhile, nothing is overwritten.`,
    ],
    server: true,
    examples: ["kvm-manager vm edit web1", "EDITOR=nano kvm-manager vm edit web1"],
  });

/** The user's editor: VISUAL, EDITOR, else vi. @throws {UsageError} if none is named and there is no terminal for vi */
function editorOf(terminal: Terminal): string {
  const named = Deno.env.get("VISUAL") || Deno.env.get("EDITOR");
  if (named || terminal.isTerminal) return named || "vi";
  throw new UsageError(
    message`there is no terminal for an editor. Without one, say a program that edits a file as EDITOR, or change the XML with kvm-manager vm xml and kvm-manager vm set-xml`,
  );
}

/** Runs the editor on a file, by the shell, as git and virsh do: EDITOR may have arguments of its own. */
async function edit(file: string, editor: string): Promise<void> {
  let status: Deno.CommandStatus;
  try {
    status = await new Deno.Command("/bin/sh", {
      args: ["-c", `exec ${editor} "$1"`, "sh", file],
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new UsageError(
      "an editor cannot be started here: write it as kvm-manager vm edit NAME, options behind",
    );
  }
  if (!status.success) {
    throw new UsageError(
      message`the editor ${editor} failed with exit status ${status.code}; nothing was changed`,
    );
  }
}

const placeOf = ({ line, element, attribute }: XmlProblem) =>
  [
    line !== undefined && render(message`line ${line}`),
    element !== undefined && `<${element}>`,
    attribute !== undefined && render(message`attribute ${attribute}`),
  ].filter(Boolean).join(", ");

/** Problem that libvirt finds in a VM's XML; null if there is none. */
async function problemOf(server: Server, vmId: string, xml: string): Promise<string | null> {
  const { problem } = await server.call("check_vm_xml", { vmId, xml }) as { problem: XmlProblem | null };
  if (problem === null) return null;
  const place = placeOf(problem);
  return escapeControlCharacters(place === "" ? problem.message : `${place}: ${problem.message}`);
}

/** Whether to edit again. */
function goesOn(terminal: Terminal): boolean {
  const yes = t("shell.yes_letter");
  return agrees(
    terminal.ask(render(message`Edit it again? Type ${yes} to go on, n to leave it as it was:`)),
  );
}

/** Edits until it is taken, or given up; gives the exit status. */
async function editUntilTaken(
  server: Server,
  vmId: string,
  file: string,
  terminal: Terminal,
  editor: string,
): Promise<number> {
  const { xml: before, etag } = await server.call("get_vm_xml", { vmId, secure: true, inactive: true }) as {
    xml: string;
    etag: string;
  };
  await Deno.writeTextFile(file, before);
  for (;;) {
    await edit(file, editor);
    const xml = await Deno.readTextFile(file);
    if (xml === before) {
      console.error(t("shell.nothing_changed"));
      return EXIT.done;
    }
    const problem = await problemOf(server, vmId, xml).catch((error) => {
      if (!(error instanceof ApiError) || error.code === "Unreachable") throw error;
      return escapeControlCharacters(error.message);
    });
    if (problem === null) {
      const { pending } = await server.call("set_vm_xml", { vmId, xml, etag }) as { pending: boolean };
      console.error(
        render(pending ? message`Saved. The VM runs: it is so from its next start on.` : message`Saved.`),
      );
      return EXIT.done;
    }
    console.error(`kvm-manager vm edit: ${problem}`);
    if (!goesOn(terminal)) {
      console.error(t("shell.nothing_changed"));
      return EXIT.failed;
    }
  }
}

/** Reads its arguments. @throws {UsageError} */
export function readEdit(args: readonly string[]) {
  const { positionals: [name, ...others], values } = parsed(args, TARGET_OPTIONS);
  if (name === undefined || others.length > 0) {
    throw new UsageError(
      "missing <vmId>: one VM is edited at a time",
      "kvm-manager vm edit <vmId> [OPTIONS]",
    );
  }
  return { name, values };
}

/** Edits a VM's XML; gives the exit status. */
export async function editCommand(args: readonly string[], terminal: Terminal = TERMINAL): Promise<number> {
  try {
    const { name, values } = readEdit(args);
    const editor = editorOf(terminal);
    const server = serverOf(await targetOf(values));
    const { vmId } = await resolveIds(server, { vmId: name }) as { vmId: string };
    // For its owner alone: the XML has passwords.
    const folder = await Deno.makeTempDir({ prefix: "kvm-manager-" });
    try {
      return await editUntilTaken(server, vmId, `${folder}/vm.xml`, terminal, editor);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  } catch (error) {
    return failed(error, ["vm", "edit"]);
  }
}
