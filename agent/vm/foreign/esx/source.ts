/**
 * VMs of ESXi hosts and vCenters: listed and described by libvirt's drivers, their `.vmx` file read by our own reader, their disks
 * downloaded from the datastores. The VM is off, at the beginning and at the end.
 */
import { ContractError, type ForeignVmEntry, type Input } from "../../../../lib/contract/mod.ts";
import type { ForeignDomain } from "../../../../ffi/calls/domain.ts";
import { type ForeignDisk, withoutElsewhere } from "../../../../lib/formats/foreign/vm/model.ts";
import { type DatastoreFile, diskFile } from "../../../../lib/formats/foreign/vm/vmware_place.ts";
import { readVmx } from "../../../../lib/formats/foreign/vm/vmx.ts";
import {
  isVmdkDescriptor,
  MOST_DESCRIPTOR,
  readVmdkDescriptor,
} from "../../../../lib/formats/foreign/vmdk_descriptor.ts";
import { summarizeDomain } from "../../../../lib/formats/xml/domain.ts";
import { ImageError } from "../../../../lib/formats/qcow2/qcow2_header.ts";
import type { Principal } from "../../../access.ts";
import { bring, judgeFar } from "../remote/arrival.ts";
import { requirePassword } from "../remote/logins.ts";
import { LineBroken, readRemote, type RemoteDisk, type RemoteStretch } from "../remote/remote_disk.ts";
import { foreignRefused, type ForeignServices, type ForeignSource, type SourceDisk, told } from "../model.ts";
import { Datastores } from "./datastore.ts";
import { type EsxDriver, withEsx } from "./driver.ts";
import { type EsxServer, esxServer, unreachable } from "./place.ts";
import { message, type Sentence } from "../../../../lib/i18n/message.ts";

/** VMs of a host that are listed. */
const MOST_VMS = 10_000;
/** Milliseconds to look at a VM's disks. */
const LOOK_MS = 120_000;

type Asked<C extends "list_foreign_vms" | "inspect_foreign_vm"> = Input<C> & {
  readonly kind: "esxi" | "vcenter";
};

/** A server that has let us in. */
interface Opened<T> {
  readonly server: EsxServer;
  readonly login: { readonly username: string; readonly password: string };
  readonly result: T;
}

/** Signs in, does something, and remembers for a while who signed in. */
async function signedIn<T>(
  services: ForeignServices,
  asked: Asked<"list_foreign_vms">,
  principal: Principal,
  work: (driver: EsxDriver) => Promise<T>,
): Promise<Opened<T>> {
  const { logins } = services, server = await esxServer(services, asked);
  const login = requirePassword(logins.of(asked, principal));
  try {
    const result = await withEsx(server, login, work);
    logins.keep(asked, principal, login);
    return { server, login, result };
  } catch (error) {
    if (error instanceof ContractError && error.code === "SourceLoginRefused") {
      logins.forget(asked, principal);
    }
    throw error;
  }
}

async function domainsOf(driver: EsxDriver): Promise<ForeignDomain[]> {
  const domains = await driver.domains();
  if (domains.length > MOST_VMS) throw foreignRefused(message`the server has more than ${MOST_VMS} VMs`);
  return domains;
}

const stateOf = ({ active }: ForeignDomain) => active ? "running" : "stopped";

/** The VMs of a server. @throws {ContractError} */
export async function esxVms(
  services: ForeignServices,
  asked: Asked<"list_foreign_vms">,
  principal: Principal,
): Promise<ForeignVmEntry[]> {
  const { result } = await signedIn(services, asked, principal, domainsOf);
  const names = new Map<string, number>();
  for (const { name } of result) names.set(name, (names.get(name) ?? 0) + 1);
  return result.map((domain) => ({
    vm: names.get(domain.name) === 1 ? domain.name : domain.uuid,
    name: domain.name,
    state: stateOf(domain),
  })).sort((a, b) => a.name.localeCompare(b.name));
}

/** The VM that is meant, which is off. @throws {ContractError} ForeignVmRefused, VmNotFound, VmMustBeOff */
function meantVm(domains: readonly ForeignDomain[], named: string | undefined): ForeignDomain {
  const found = named === undefined
    ? domains
    : domains.filter(({ name, uuid }) => name === named || uuid === named);
  if (named === undefined && found.length !== 1) {
    throw foreignRefused(message`the server has ${domains.length} VMs. Say which one (--vm)`);
  }
  if (found.length > 1) throw foreignRefused("several VMs have this name. Say its UUID instead (--vm)");
  const [vm] = found;
  if (vm === undefined) throw new ContractError("VmNotFound", { vmId: named });
  if (vm.active) throw new ContractError("VmMustBeOff", { state: stateOf(vm) });
  return vm;
}

/** A stretch of a disk, in its order. */
interface Extent {
  readonly file: DatastoreFile | undefined;
  readonly offset: number;
  readonly bytes: number;
}

/** Bytes of zeros that are sent at a time. */
const ZEROS = new Uint8Array(1024 * 1024);

/** Pieces of the disk in a range of it. */
async function* piecesOf(
  stores: Datastores,
  extents: readonly Extent[],
  from: number,
  length: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let start = 0, left = length;
  for (const { file, offset, bytes } of extents) {
    const skip = Math.max(0, from - start), own = Math.min(bytes - skip, left);
    start += bytes;
    if (own <= 0) continue;
    left -= own;
    if (file === undefined) {
      for (let rest = own; rest > 0; rest -= ZEROS.length) {
        yield ZEROS.subarray(0, Math.min(rest, ZEROS.length));
      }
      continue;
    }
    let got = 0;
    await using stretch = await stores.open(file, offset + skip, own, signal);
    for await (const piece of stretch.pieces) {
      got += piece.length;
      yield piece;
    }
    if (got < own) throw new LineBroken("it ended early");
    if (left === 0) return;
  }
}

/** Opens a disk: its description is read here, and names only files next to it. */
async function openDisk(stores: Datastores, at: DatastoreFile, signal: AbortSignal): Promise<RemoteDisk> {
  const label = `[${at.datastore}] ${at.path}`;
  const refuse = (reason: Sentence, cause?: unknown) =>
    new ContractError("DiskRefused", { path: label, reason }, { cause });
  const head = await stores.head(at, signal);
  if (head.size > MOST_DESCRIPTOR) {
    throw refuse("it is no disk that ESXi runs a VM from. Clone it there with vmkfstools -i");
  }
  const bytes = await stores.content(at, MOST_DESCRIPTOR, signal);
  if (!isVmdkDescriptor(bytes)) {
    throw refuse("it is no description of a disk. Clone it there with vmkfstools -i");
  }
  const folder = at.path.slice(0, at.path.lastIndexOf("/") + 1);
  let described;
  try {
    described = readVmdkDescriptor(new TextDecoder("windows-1252").decode(bytes));
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw refuse(error.message, error);
  }
  const extents: Extent[] = [], marks = new Map<string, readonly [DatastoreFile, string]>();
  for (const extent of described.extents) {
    if (extent.kind === "zero") {
      extents.push({ file: undefined, offset: 0, bytes: extent.bytes });
      continue;
    }
    if (extent.kind === "sparse") {
      throw refuse("it is no disk that ESXi runs a VM from. Clone it there with vmkfstools -i");
    }
    const file = { ...at, path: `${folder}${extent.file}` }, { size, mark } = await stores.head(file, signal);
    if (extent.offset + extent.bytes > size) {
      throw refuse(message`${extent.file} is shorter than its description says`);
    }
    marks.set(file.path, [file, mark]);
    extents.push({ file, offset: extent.offset, bytes: extent.bytes });
  }
  // Without a time or a tag a file that was written to looks as before
  const states = [...marks.values()].map(([file, mark]) => [file.datastore, file.path, mark]);
  const isTold = [...marks.values()].every(([, mark]) => !/^\d+\s*$/.test(mark));
  return {
    label,
    size: described.virtualBytes,
    ...(isTold && { state: JSON.stringify([stores.label, states, described.extents]) }),
    open: (offset, length, during): Promise<RemoteStretch> => {
      const pieces = piecesOf(stores, extents, offset, length, during);
      return Promise.resolve({
        pieces,
        [Symbol.asyncDispose]: async () => void await pieces.return(undefined),
      });
    },
    requireUnchanged: async (during) => {
      for (const [file, mark] of marks.values()) {
        if ((await stores.head(file, during)).mark === mark) continue;
        throw new ContractError("ImportFailed", {
          error:
            message`${label} was written to at the source meanwhile. Leave the VM off, and import it again`,
        });
      }
    },
  };
}

/** @throws {ContractError} SourceUnreachable for a line that breaks */
async function look<T>({ label }: EsxServer, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LineBroken) throw unreachable(label, error);
    throw error;
  }
}

/**
 * Opens a VM of an ESXi host or a vCenter.
 *
 * @throws {ContractError} why it cannot be imported
 */
export async function esxSource(
  services: ForeignServices,
  asked: Asked<"inspect_foreign_vm">,
  principal: Principal,
): Promise<ForeignSource> {
  const { server, login, result: { meant, vmx, xml } } = await signedIn(
    services,
    asked,
    principal,
    async (driver) => {
      const meant = meantVm(await domainsOf(driver), asked.vm);
      return { meant, ...await driver.definition(meant.uuid) };
    },
  );
  const vm = withoutElsewhere(told(() => readVmx(vmx.bytes)));
  const sources = xml === undefined ? [] : summarizeDomain(xml).disks.flatMap(({ source }) => source ?? []);
  const stores = new Datastores(server, login), signal = AbortSignal.timeout(LOOK_MS);
  const disks: SourceDisk[] = [];
  for (const disk of vm.disks) disks.push(await sourceDisk(disk));
  return {
    found: asked.vm === undefined ? meant.name : undefined,
    vm,
    disks,
    sums: undefined,
    warnings: vm.warnings,
    confirm: async () => void meantVm(await withEsx(server, login, domainsOf), meant.uuid),
  };

  async function sourceDisk({ file, place = file! }: ForeignDisk): Promise<SourceDisk> {
    const at = diskFile(vmx.file, place, sources);
    if (at === undefined) {
      const reason = "where it lies on the server cannot be told. Move it into the folder of the VM there";
      throw new ContractError("DiskRefused", { path: place, reason });
    }
    const far = await look(server, () => openDisk(stores, at, signal));
    const { virtualBytes } = await judgeFar(services, far, "raw", signal);
    return {
      file: file!,
      format: "vmdk",
      virtualBytes,
      fileBytes: far.size,
      local: undefined,
      readGuest: (offset, length, during) => look(server, () => readRemote(far, offset, length, during)),
      convert: (target, work) => bring(services, far, "raw", target, work),
    };
  }
}
