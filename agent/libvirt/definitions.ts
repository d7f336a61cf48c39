/** The definitions of many VMs, read a few at a time: others get their turn with libvirt between them. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import type { VM } from "../../lib/contract/mod.ts";
import type { LibvirtLink } from "./link.ts";

/** VMs whose definitions are read at the same time. */
const AT_ONCE = 4;

/** A VM as it runs, null while it is off, and as it starts next. Without passwords. */
export interface Definitions {
  readonly vm: VM;
  readonly live: string | null;
  readonly next: string;
}

/** Reads both definitions of VMs. Those that are gone meanwhile are left out. @throws {LibvirtError} */
export async function definitionsOf(
  { link }: { readonly link: Pick<LibvirtLink, "call"> },
  vms: readonly VM[],
): Promise<Definitions[]> {
  const found: Definitions[] = [], left = [...vms];
  const read = async () => {
    for (let vm = left.pop(); vm !== undefined; vm = left.pop()) {
      try {
        found.push({ vm, ...await link.call("domainXmls", { uuid: vm.id, secure: false }) });
      } catch (error) {
        if (!(error instanceof LibvirtError) || error.code !== VIR_ERR.NO_DOMAIN) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  return found;
}

/** Whether a VM is there still, with any definition. @throws {LibvirtError} */
export async function isDefined(link: Pick<LibvirtLink, "call">, uuid: string): Promise<boolean> {
  try {
    await link.call("domainXml", { uuid, secure: false, inactive: false });
    return true;
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN) return false;
    throw error;
  }
}
