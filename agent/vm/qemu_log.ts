/** The end of libvirt's log of a VM's QEMU. */
import { ContractError, type Output, type Role, type VM } from "../../lib/contract/mod.ts";
import { plainText } from "../../lib/text/byte_text.ts";
import { isLive } from "../../lib/vm/state.ts";
import { endOfLog } from "../../lib/vm/qemu_log.ts";
import { includes } from "../access.ts";
import {
  FileRefused,
  isSystemError,
  pathFault,
  readRegularEnd,
  undefinedIfMissing,
} from "../machine/files.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { qemuLogFolder } from "../libvirt/uri.ts";
import type { Sentence } from "../../lib/i18n/message.ts";

/** Most bytes of a log that are read, from its end. */
const MOST_BYTES = 1 << 20;

const unavailable = (reason: Sentence, cause?: unknown) =>
  new ContractError("VmLogUnavailable", { reason }, { cause });

/** The file of a VM's log. @throws {ContractError} VmLogUnavailable */
function logFile({ link: { uri } }: LibvirtHost, { name }: VM): string {
  const folder = qemuLogFolder(uri, (each) => Deno.env.get(each));
  if (folder === undefined) {
    throw unavailable(
      "it is only read of VMs that run in QEMU on this host (qemu:///system or qemu:///session)",
    );
  }
  // libvirt takes neither for a name; nothing but a file of the folder is ever opened.
  if (name === "" || /[/\0]/.test(name)) throw unavailable("the VM's name is no file name");
  if (plainText(name) === undefined) throw unavailable("the VM's name is no UTF-8");
  return `${folder}/${name}.log`;
}

/**
 * The last lines of it. While a VM runs, what follows the last start is its own; of one that is off, an earlier VM of its
 * name may have written what no start was read of, and only administrators are shown that.
 *
 * @throws {ContractError} VmLogMissing, VmLogUnavailable
 */
export async function qemuLog(
  host: LibvirtHost,
  vm: VM,
  lines: number,
  role: Role,
): Promise<Output<"get_vm_log">> {
  const path = logFile(host, vm);
  let end;
  try {
    end = await undefinedIfMissing(readRegularEnd(path, MOST_BYTES));
  } catch (error) {
    if (error instanceof FileRefused) throw unavailable("the file is no regular file", error);
    if (!isSystemError(error)) throw error;
    throw unavailable(reasonOf(error), error);
  }
  if (end === undefined) throw new ContractError("VmLogMissing");
  const { bytes, isWhole, changedAt } = end;
  const { log, lines: count, complete } = endOfLog(
    new TextDecoder().decode(bytes),
    isWhole,
    lines,
    { uuid: vm.id, isRunning: isLive(vm), isTrusted: includes(role, "administrator") },
  );
  return { log, lines: count, complete, changedAt };
}

function reasonOf(error: Error): string {
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return "KVM Manager may not read the file. It must run as root, or as a user who may read libvirt's logs";
  }
  return pathFault(error) ?? error.message;
}
