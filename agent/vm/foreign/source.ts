/** Source of a foreign VM: reads its definition, opens its disks. */
import type { ForeignKind, ForeignServer, ForeignVmEntry, Input } from "../../../lib/contract/mod.ts";
import { hyperVm, usualGeneration } from "../../../lib/formats/foreign/vm/hyperv.ts";
import {
  type ForeignWarning,
  foreignWarning,
  MOST_DEFINITION,
  type SourceVm,
} from "../../../lib/formats/foreign/vm/model.ts";
import { readProxmox } from "../../../lib/formats/foreign/vm/proxmox.ts";
import { readVmx } from "../../../lib/formats/foreign/vm/vmx.ts";
import { MAX_MANIFEST, readOvfManifest } from "../../../lib/formats/ovf/manifest.ts";
import { convertImage } from "../../storage/convert_disk.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import { requireHere } from "../ova/inspect.ts";
import { openDisk } from "./disk.ts";
import { SourceFolder } from "./folder.ts";
import { libvirtSource, libvirtVms } from "./libvirt_source.ts";
import type { FileSums } from "./checksums.ts";
import { esxSource, esxVms } from "./esx/source.ts";
import { proxmoxSource, proxmoxVms } from "./pve/source.ts";
import { localReader } from "./windows.ts";
import type { Principal } from "../../access.ts";
import { foreignRefused, type ForeignServices, type ForeignSource, type SourceDisk, told } from "./model.ts";
import { message } from "../../../lib/i18n/message.ts";

type FolderKind = Exclude<ForeignKind, "libvirt" | ForeignServer>;

/** Names of the files that describe a VM, by kind of folder. */
const DEFINITIONS: Readonly<Record<FolderKind, RegExp>> = {
  vmx: /\.vmx$/i,
  proxmox: /\.conf$/i,
  // Pieces of a snapshot (.avhdx) are no VM's first disk.
  hyperv: /\.vhdx?$/i,
};
const MISSING: Readonly<Record<FolderKind, string>> = {
  vmx: "no .vmx file",
  proxmox: "no .conf file",
  hyperv: "no .vhdx or .vhd file",
};

/** list_foreign_vms. @throws {ContractError} */
export async function listForeign(
  services: ForeignServices,
  input: Input<"list_foreign_vms">,
  principal: Principal,
): Promise<ForeignVmEntry[]> {
  const { kind, origin } = input;
  if (kind === "libvirt") return libvirtVms(services, origin);
  if (kind === "esxi" || kind === "vcenter") return await esxVms(services, { ...input, kind }, principal);
  if (kind === "proxmox-ssh") return await proxmoxVms(services, { ...input, kind }, principal);
  requireHere(services.host, "Import from a folder");
  const folder = await SourceFolder.open(services.host, origin);
  const names = folder.names.filter((name) => DEFINITIONS[kind].test(name));
  return names.map((vm) => ({ vm, name: vm.replace(/\.[A-Za-z]+$/, "") }));
}

/** The definition that is meant: the one that was named, or the only one. @throws {ContractError} ForeignVmRefused */
function definitionOf(folder: SourceFolder, kind: FolderKind, named: string | undefined): string {
  if (named !== undefined) return named;
  const found = folder.names.filter((name) => DEFINITIONS[kind].test(name));
  if (found.length === 1) return found[0]!;
  if (found.length === 0) throw foreignRefused(message`the folder ${folder.path} has ${MISSING[kind]}`);
  const some = found.slice(0, 5).join(", ");
  throw foreignRefused(message`the folder ${folder.path} has several VMs. Say which one: ${some}`);
}

/** The VM that a folder's definition describes. */
async function readFrom(
  folder: SourceFolder,
  kind: FolderKind,
  { vm: named, moreDisks = [], definition, generation, osType }: Input<"inspect_foreign_vm">,
): Promise<{ readonly vm: SourceVm; readonly found: string | undefined }> {
  if (kind === "hyperv") {
    const first = definitionOf(folder, kind, named);
    // What else lies there may be another VM's: somebody has to say that it is this one's.
    const files = [first, ...moreDisks];
    const stem = first.replace(/\.[A-Za-z]+$/, "");
    const form = {
      name: stem,
      generation: generation === undefined ? usualGeneration(files) : generation === 1 ? 1 : 2,
      osType,
      files,
    } as const;
    return { vm: hyperVm(form), found: first };
  }
  const found = definition === undefined ? definitionOf(folder, kind, named) : undefined;
  const bytes = found === undefined
    ? new TextEncoder().encode(definition!)
    : await folder.content(found, MOST_DEFINITION);
  const vm = told(() => kind === "vmx" ? readVmx(bytes) : readProxmox(new TextDecoder().decode(bytes)));
  return { vm: osType === undefined ? vm : { ...vm, osType: vm.osType ?? osType }, found };
}

/** The names that files of checksums have. */
const SUM_FILES = /^(sha(1|224|256|384|512)sums?(\.txt)?|md5sums?(\.txt)?)$|\.(mf|sha256|sha512|sha1|md5)$/i;

/** Checksums that lie in the folder; undefined where there are none. @throws {ContractError} ForeignVmRefused */
async function sumsIn(folder: SourceFolder): Promise<FileSums | undefined> {
  const sums: FileSums = new Map();
  for (const name of folder.names.filter((each) => SUM_FILES.test(each)).slice(0, 32)) {
    const text = new TextDecoder().decode(await folder.content(name, MAX_MANIFEST));
    for (const file of told(() => readOvfManifest(text)).files) {
      const plain = file.name.replace(/^(\.\/)+/, "");
      sums.set(plain, [...sums.get(plain) ?? [], ...file.digests]);
    }
  }
  return sums.size === 0 ? undefined : sums;
}

/**
 * Opens a VM's definition and judges its disks.
 *
 * @param held keeps all of it as it is until it is disposed of
 * @throws {ContractError} why it cannot be imported
 */
export async function openForeign(
  services: ForeignServices,
  input: Input<"inspect_foreign_vm">,
  principal: Principal,
  held: DisposableStack,
): Promise<ForeignSource> {
  const { host, imagePolicy } = services, { kind, origin } = input;
  requireHere(host, "Import of VMs");
  if (kind === "libvirt") return await libvirtSource(services, input, held);
  if (kind === "esxi" || kind === "vcenter") {
    return await esxSource(services, { ...input, kind }, principal);
  }
  if (kind === "proxmox-ssh") return await proxmoxSource(services, { ...input, kind }, principal, held);
  const folder = await SourceFolder.open(host, origin);
  const { vm, found } = await readFrom(folder, kind, input);
  const request = { host, policy: imagePolicy(), role: principal.role, held };
  const disks: SourceDisk[] = [];
  const warnings: ForeignWarning[] = [...vm.warnings];
  for (const [index, { file, format }] of vm.disks.entries()) {
    const local = await openDisk(request, folder, { file: file!, format });
    const { virtualBytes, fileBytes, image } = local;
    const first = local.files[0]!.name;
    if (first !== file) {
      warnings.push(foreignWarning(`disks.${index}`, "DiskElsewhere", { was: file!, file: first }));
    }
    disks.push({
      file: file!,
      format: local.format,
      virtualBytes,
      fileBytes,
      local,
      readGuest: localReader(local),
      convert: (target, { job, operation, onShare }) =>
        makeVolume(
          host.link,
          operation,
          target,
          () =>
            convertImage(
              host,
              { ...target, source: image, virtualBytes, packedBytes: fileBytes },
              job,
              onShare,
            ),
        ),
    });
  }
  return { found, vm, disks, sums: await sumsIn(folder), warnings, confirm: undefined };
}
