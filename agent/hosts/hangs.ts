/**
 * Objects of a host that do not respond, reported at once: VMs show it, the log has its beginning and its
 * end, and callers get since when and by which call.
 */
import type { CallGate, HangingObject } from "../../ffi/call_gate.ts";
import type { Hang as ContractHang } from "../../lib/contract/host.ts";
import { log } from "../log.ts";
import type { Inventory } from "./inventory/inventory.ts";

/** Remedies, by the kind of object that does not respond. */
export const REMEDIES: Readonly<Record<ContractHang["about"], string>> = {
  vm: "Check the storage its disks are on. Force it off if it stays so: other VMs are not affected.",
  pool:
    "Check the server or the disk behind it. If it does not come back, restart libvirtd: running VMs go on.",
  network:
    "Check the firewall service of the host. If it does not come back, restart libvirtd: running VMs go on.",
  storage: "Check the server or the disk behind it. If it does not come back, run as root: umount -l ",
  host: "If it stays so, restart libvirtd (systemctl restart libvirtd): running VMs go on.",
};

/** Remedy for a VM that only waits: libvirt changes no definition while another VM holds up its list of VMs. */
const WAITS =
  "It only waits for what else does not respond here: see to that, and do not force this one off.";
/** Functions that change libvirt's list of VMs. */
const CHANGES_LIST: ReadonlySet<string> = new Set(["virDomainDefineXMLFlags", "virDomainUndefineFlags"]);

/** All objects of a kind, as they are called. */
const WHOLE: Readonly<Record<string, string>> = { vms: "VMs", pools: "storage pools", networks: "networks" };

/** The kind and the name of an object; what is about all objects of a kind is a part of libvirt. */
function objectOf(key: string): { about: ContractHang["about"]; name: string } {
  const at = key.indexOf(":");
  if (at < 0) return { about: "host", name: `list of all ${WHOLE[key] ?? key}` };
  const kind = key.slice(0, at), name = key.slice(at + 1);
  if (kind === "vm" || kind === "pool" || kind === "network") return { about: kind, name };
  return { about: "host", name };
}

/**
 * Whether an object is outside this host: a server that was asked for its pools, the resolver. Its caller
 * gets the error at once.
 */
const isOutside = (key: string) => key.startsWith("server:") || key === "host:name";

/** The VM that a key is of. */
const vmOf = (key: string): string | undefined => key.startsWith("vm:") ? key.slice("vm:".length) : undefined;

export class HostHangs {
  #shown = new Map<string, HangingObject>();
  /** When what did not respond did so again, by `performance.now()`. */
  readonly #ended = new Map<string, number>();
  #isDue = false;

  /** @param changed told after what does not respond has changed */
  constructor(
    private readonly gate: Pick<CallGate, "hangs" | "onChange">,
    private readonly inventory: Pick<Inventory, "update" | "vm" | "refreshSoon">,
    private readonly changed: () => void,
    private readonly mounts: () => readonly {
      readonly path: string;
      readonly since: string;
      readonly type: string;
    }[],
  ) {
    gate.onChange(() => this.#soon());
  }

  /** Objects that do not respond now, longest first. */
  list(): readonly HangingObject[] {
    return [...this.#shown.values()];
  }

  /** The same for people, with what helps. */
  told(): ContractHang[] {
    const storage = this.mounts().map(({ path, since, type }): ContractHang => ({
      about: "storage",
      name: path,
      since: Date.parse(since),
      call: `a file system of the type ${type} does not answer`,
      remedy: `${REMEDIES.storage}${path}`,
    }));
    const hangs = this.list().filter(({ key }) => !isOutside(key));
    const isHeldUp = storage.length > 0 || hangs.some(({ call }) => !CHANGES_LIST.has(call));
    const others = hangs.map(({ key, since, call }) => {
      const { about, name } = objectOf(key), vmId = vmOf(key);
      const shown = vmId === undefined ? name : this.inventory.vm(vmId)?.name ?? name;
      return {
        about,
        name: shown,
        ...(vmId !== undefined && { vmId }),
        since,
        call,
        remedy: isHeldUp && CHANGES_LIST.has(call) ? WAITS : REMEDIES[about],
      };
    });
    return [...storage, ...others];
  }

  /** When an object was last found to respond again, by `performance.now()`; undefined where it always did. */
  endedAt(key: string): number | undefined {
    return this.#ended.get(key);
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#show();
    });
  }

  #show(): void {
    const before = this.#shown, now = new Map(this.gate.hangs().map((hang) => [hang.key as string, hang]));
    this.#shown = now;
    let isChanged = false;
    for (const [key, hang] of now) {
      const old = before.get(key);
      if (old?.call === hang.call && old.since === hang.since && old.isLocked === hang.isLocked) continue;
      isChanged = true;
      const { since, call, isLocked } = hang, uuid = vmOf(key);
      if (old === undefined) {
        log.warn("does not respond", { what: key, call, since: new Date(since).toISOString() });
      }
      if (uuid === undefined) continue;
      this.inventory.update(uuid, { notResponding: { since, call } });
      // One read finds out whether libvirt still answers for the VM, or its lock is held as well
      if (isLocked && old?.isLocked !== true) this.inventory.refreshSoon(uuid);
    }
    for (const [key, { since }] of before) {
      if (now.has(key)) continue;
      isChanged = true;
      this.#ended.set(key, performance.now());
      log.info("responds again", { what: key, seconds: Math.round((Date.now() - since) / 1000) });
      const uuid = vmOf(key);
      if (uuid !== undefined) this.inventory.update(uuid, { notResponding: undefined });
    }
    if (isChanged) this.changed();
  }
}
