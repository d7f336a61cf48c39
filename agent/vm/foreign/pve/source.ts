/**
 * VMs of a node of Proxmox VE, by SSH as root: their `.conf` files and the storages are read, and the disks are streamed from where
 * they lie. The source is only read; volumes of LVM that are inactive, as those of a VM that is off, are active meanwhile.
 */
import { ContractError, detailOf, type ForeignVmEntry, type Input } from "../../../../lib/contract/mod.ts";
import {
  type ForeignDisk,
  MOST_DEFINITION,
  withoutElsewhere,
} from "../../../../lib/formats/foreign/vm/model.ts";
import { readProxmox } from "../../../../lib/formats/foreign/vm/proxmox.ts";
import {
  type ProxmoxPlace,
  proxmoxPlace,
  readStorages,
} from "../../../../lib/formats/foreign/vm/proxmox_storage.ts";
import { readSshLogin, type SshDestination, sshLoginText } from "../../../../lib/host/ssh_destination.ts";
import { oneLine } from "../../../../lib/text/text.ts";
import { messageOf } from "../../../../lib/text/message.ts";
import type { Principal } from "../../../access.ts";
import { requireHostKey } from "../../../hosts/ssh/host_keys.ts";
import {
  RemoteFailure,
  RemoteLoginRefused,
  RemoteShell,
  type ScriptOptions,
} from "../../../hosts/ssh/remote_shell.ts";
import { withSsh } from "../../../hosts/ssh/with_ssh.ts";
import { log } from "../../../log.ts";
import { ProgramLate } from "../../../machine/programs.ts";
import { bring, judgeFar } from "../remote/arrival.ts";
import { LineBroken, readRemote, type RemoteDisk } from "../remote/remote_disk.ts";
import { foreignRefused, type ForeignServices, type ForeignSource, type SourceDisk, told } from "../model.ts";
import { message } from "../../../../lib/i18n/message.ts";

/** Milliseconds to look at a VM's disks, and for a checksum of one. */
const LOOK_MS = 120_000, SUM_MS = 24 * 60 * 60_000;
const FOLDER = "/etc/pve/qemu-server";

/** Number, state and name of each VM. QEMU's process of a VM that runs is in the file of its number, as `qm` has it. */
const LIST = `[ -d ${FOLDER} ] || { echo "${FOLDER} is not there: it is no node of Proxmox VE" >&2; exit 1; }
for file in ${FOLDER}/*.conf; do
  [ -f "$file" ] || continue
  id=\${file##*/}; id=\${id%.conf}; state=stopped
  pid=$(cat "/run/qemu-server/$id.pid" 2>/dev/null) && [ -n "$pid" ] && [ -d "/proc/$pid" ] && state=running
  printf '%s\\t%s\\t%s\\n' "$id" "$state" "$(sed -n '/^\\[/q;s/^name: *//p' "$file" | head -n 1 | head -c 200)"
done`;
const CONTENT = `head -c ${MOST_DEFINITION + 1} -- "$1"`;
/** Size and state of what is at a path. @see {@link ACTIVATE} */
const HEAD =
  `if [ -b "$1" ]; then blockdev --getsize64 "$1" && echo; elif [ -f "$1" ]; then stat -L -c '%s %Y %i' -- "$1"
else echo "there is no $1" >&2; exit 1; fi`;
/** Has a volume of LVM be there. @returns whether it was not */
const ACTIVATE = `[ -b "/dev/$1/$2" ] || { lvchange -ay -K "$1/$2" >&2 && echo activated; }`;
const DEACTIVATE = `lvchange -an "$1/$2"`;
const SUM = `exec sha256sum < "$1"`;
/** Of its beginning. */
const START_SUM = `head -c "$2" < "$1" | sha256sum`;
const READ =
  `exec dd if="$1" bs=1048576 iflag=skip_bytes,count_bytes,fullblock skip="$2" count="$3" status=none`;

type Asked<C extends "list_foreign_vms" | "inspect_foreign_vm"> = Input<C> & { readonly kind: "proxmox-ssh" };

/** A node that has let us in. */
interface Node {
  readonly shell: RemoteShell;
  readonly label: string;
}

const unreachable = ({ label }: Pick<Node, "label">, error: unknown) =>
  new ContractError("SourceUnreachable", { source: label, reason: `${oneLine(messageOf(error), 200)}.` }, {
    cause: error,
  });

/** Runs a script there. @throws {ContractError} SourceUnreachable */
async function run(
  node: Node,
  script: string,
  args: readonly string[] = [],
  options: Pick<ScriptOptions, "signal" | "limitMs"> = {},
): Promise<string> {
  try {
    return await node.shell.run(script, { args, ...options });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof RemoteFailure || error instanceof ProgramLate) throw unreachable(node, error);
    throw error;
  }
}

/**
 * Signs in to a node.
 *
 * @param held ends the connection
 * @throws {ContractError} InvalidInput, HostKeyUnknown, HostKeyChanged, SourceUnreachable, SourceLoginRefused
 */
async function opened(
  { ssh, logins }: ForeignServices,
  asked: Asked<"list_foreign_vms">,
  principal: Principal,
  held: AsyncDisposableStack,
): Promise<Node> {
  const login = logins.of(asked, principal);
  const text = asked.origin.includes("@") ? asked.origin : `${login.username}@${asked.origin}`;
  const destination = readSshLogin(text.trim());
  if (destination === undefined) {
    throw new ContractError("InvalidInput", {
      field: "origin",
      reason: "origin names no node: give its name or address",
    });
  }
  const label = sshLoginText(destination);
  return await withSsh(async () => {
    await requireKey(ssh, destination, asked.hostKey, label);
    const shell = await RemoteShell.of(ssh, destination, login.password);
    held.use(shell);
    try {
      const isRoot = (await shell.run("id -u", { asUser: true })).trim() === "0";
      if (!isRoot) throw foreignRefused(message`${label} is not root: the disks of Proxmox VE are root's`);
    } catch (error) {
      if (error instanceof RemoteLoginRefused && login.password === undefined) {
        const reason =
          `password is missing: KVM Manager's key does not open ${label}. Give the password, or add the key there ` +
          "(kvm-manager host ssh-key)";
        throw new ContractError("InvalidInput", { field: "password", reason }, { cause: error });
      }
      if (error instanceof RemoteLoginRefused) {
        logins.forget(asked, principal);
        throw new ContractError("SourceLoginRefused", { source: label }, { cause: error });
      }
      if (error instanceof RemoteFailure || error instanceof ProgramLate) throw unreachable({ label }, error);
      throw error;
    }
    logins.keep(asked, principal, login);
    return { shell, label };
  });
}

/** @throws {ContractError} HostKeyUnknown, HostKeyChanged, SourceUnreachable */
async function requireKey(
  ssh: ForeignServices["ssh"],
  destination: SshDestination,
  hostKey: string | undefined,
  label: string,
): Promise<void> {
  try {
    await requireHostKey(ssh, destination, hostKey);
  } catch (error) {
    if (!(error instanceof ContractError) || error.code !== "HostUnreachable") throw error;
    throw new ContractError("SourceUnreachable", {
      source: label,
      reason: message`${detailOf(error, "reason")}.`,
    }, { cause: error });
  }
}

/** The VMs of a node that has let us in. */
async function vmsOf(node: Node): Promise<ForeignVmEntry[]> {
  const lines = (await run(node, LIST)).split("\n");
  return lines.flatMap((line) => {
    const [, vm, state, name = ""] = /^(\d{1,9})\t(stopped|running)\t(.*)$/.exec(line) ?? [];
    return vm === undefined ? [] : [{ vm, name: oneLine(name, 200) || vm, state: state! }];
  }).sort((a, b) => Number(a.vm) - Number(b.vm));
}

/** The VMs of a node. @throws {ContractError} */
export async function proxmoxVms(
  services: ForeignServices,
  asked: Asked<"list_foreign_vms">,
  principal: Principal,
): Promise<ForeignVmEntry[]> {
  await using held = new AsyncDisposableStack();
  return await vmsOf(await opened(services, asked, principal, held));
}

/** The VM that is meant, which is off. @throws {ContractError} ForeignVmRefused, VmNotFound, VmMustBeOff */
function meantVm(vms: readonly ForeignVmEntry[], named: string | undefined): ForeignVmEntry {
  if (named === undefined && vms.length !== 1) {
    throw foreignRefused(message`the node has ${vms.length} VMs. Say which one (--vm)`);
  }
  const found = named === undefined ? vms : vms.filter(({ vm, name }) => vm === named || name === named);
  if (found.length > 1) {
    throw foreignRefused("several VMs have this name. Say the number of the one that is meant");
  }
  const [vm] = found;
  if (vm === undefined) throw new ContractError("VmNotFound", { vmId: named });
  if (vm.state !== "stopped") throw new ContractError("VmMustBeOff", { state: vm.state });
  return vm;
}

/** The path of a volume. One of LVM is made active until `held` is disposed of. */
async function pathOf(node: Node, place: ProxmoxPlace, held: AsyncDisposableStack): Promise<string> {
  if (place.kind === "path") return place.path;
  const names = [place.group, place.volume];
  if ((await run(node, ACTIVATE, names)).trim() === "activated") {
    held.defer(async () => {
      await run(node, DEACTIVATE, names).catch((error) =>
        log.warn("a volume at a source stays active", { names, error })
      );
    });
  }
  return `/dev/${place.group}/${place.volume}`;
}

/** Size and state of what is at a path. */
async function headOf(
  node: Node,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly size: number; readonly mark: string }> {
  const mark = (await run(node, HEAD, [path], { signal })).trim(),
    size = Number(/^\d{1,15}/.exec(mark)?.[0] ?? NaN);
  if (Number.isNaN(size)) throw foreignRefused(message`${node.label} does not say how large ${path} is`);
  return { size, mark };
}

async function farDisk(node: Node, path: string, signal: AbortSignal): Promise<RemoteDisk> {
  const { size, mark } = await headOf(node, path, signal), label = path;
  const sum = async (script: string, args: readonly string[], during: AbortSignal) => {
    const [found] =
      /^[0-9a-f]{64}\b/.exec(await run(node, script, args, { signal: during, limitMs: SUM_MS })) ?? [];
    if (found === undefined) throw foreignRefused(message`${node.label} gives no checksum of ${path}`);
    return found;
  };
  return {
    label,
    size,
    state: JSON.stringify([node.label, path, mark]),
    open: async (offset, length, during) => {
      let stream;
      try {
        stream = await node.shell.stream(READ, [path, String(offset), String(length)]);
      } catch (error) {
        throw new LineBroken(oneLine(messageOf(error), 160), { cause: error });
      }
      const stop = () => stream.kill();
      during.addEventListener("abort", stop, { once: true });
      const pieces = async function* () {
        try {
          yield* stream.stdout;
        } finally {
          during.removeEventListener("abort", stop);
        }
        during.throwIfAborted();
        const said = await stream.fault;
        if (said !== undefined) throw new LineBroken(said);
      };
      return {
        pieces: pieces(),
        [Symbol.asyncDispose]: async () => {
          during.removeEventListener("abort", stop);
          await stream.end();
        },
      };
    },
    checksum: (during) => sum(SUM, [path], during),
    // A device tells no time of change
    ...(!mark.includes(" ") &&
      { startChecksum: (length, during) => sum(START_SUM, [path, String(length)], during) }),
    requireUnchanged: async (during) => {
      let now: string;
      try {
        now = (await headOf(node, path, during)).mark;
      } catch (error) {
        // The line that broke is not back: the next try tells
        if (error instanceof ContractError && error.code === "SourceUnreachable") return;
        throw error;
      }
      if (now === mark) return;
      throw new ContractError("ImportFailed", {
        error:
          message`${label} was written to at the source meanwhile. Leave the VM off, and import it again`,
      });
    },
  };
}

/**
 * Opens a VM of a node.
 *
 * @param held ends the connection
 * @throws {ContractError} why it cannot be imported
 */
export async function proxmoxSource(
  services: ForeignServices,
  asked: Asked<"inspect_foreign_vm">,
  principal: Principal,
  held: DisposableStack,
): Promise<ForeignSource> {
  const undo = new AsyncDisposableStack();
  held.defer(() =>
    void undo.disposeAsync().catch((error) =>
      log.warn("a connection to a source did not end well", { error })
    )
  );
  const node = await opened(services, asked, principal, undo), signal = AbortSignal.timeout(LOOK_MS);
  const { vm: id } = meantVm(await vmsOf(node), asked.vm);
  const config = await run(node, CONTENT, ["/etc/pve/storage.cfg"], { signal });
  const definition = await run(node, CONTENT, [`${FOLDER}/${id}.conf`], { signal });
  const vm = withoutElsewhere(told(() => readProxmox(definition)));
  const storages = told(() => readStorages(config));
  const disks: SourceDisk[] = [];
  for (const disk of vm.disks) disks.push(await sourceDisk(disk));
  return {
    found: asked.vm === undefined ? id : undefined,
    vm,
    disks,
    sums: undefined,
    warnings: vm.warnings,
    confirm: async () => void meantVm(await vmsOf(node), id),
  };

  async function sourceDisk({ file, place = file!, format: said }: ForeignDisk): Promise<SourceDisk> {
    const path = await pathOf(node, told(() => proxmoxPlace(place, storages)), undo);
    const format = said ?? "raw", far = await farDisk(node, path, signal);
    const judged = await judgeFar(services, far, format, signal);
    return {
      file: file!,
      format: judged.format,
      virtualBytes: judged.virtualBytes,
      fileBytes: far.size,
      local: undefined,
      // What another format holds is known once it is here
      readGuest: judged.format === "raw"
        ? (offset, length, during) => readRemote(far, offset, length, during)
        : undefined,
      convert: (target, work) => bring(services, far, judged.format, target, work),
    };
  }
}
