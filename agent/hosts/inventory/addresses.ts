/**
 * Addresses of running VMs, from whoever answers: DHCP leases (one call a network), QEMU's guest agent where it
 * is connected, else ours, else the host's ARP table. Ours is asked while somebody looks; what it tells others counts as
 * well. A guest that hangs costs one probe and is then left alone for a while.
 */
import type { DhcpLease, GuestAddress } from "../../../ffi/calls/mod.ts";
import { forEachConcurrent } from "../../../lib/for_each_concurrent.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import type { VM } from "../../../lib/contract/vm.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { isLinkLocal } from "../../../lib/formats/ip/link_local.ts";
import { type Clock, SYSTEM_CLOCK } from "../../clock.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";
import type { Inventory } from "./inventory.ts";
import type { NetworkInventory } from "./networks.ts";
import { isActiveState } from "./states.ts";
import { leasesOn } from "../leases.ts";

/** Milliseconds until a guest agent is asked again: while the guest has no address yet, after that, after a failure. */
const AGENT_SOON_MS = 3000;
const AGENT_AGAIN_MS = 30_000;
const AGENT_FAILED_MS = 120_000;
/** Addresses kept of what one guest says: a container host has dozens, one that lies has thousands. */
const MOST = 64;
/** VMs that are asked at the same time. */
const PROBES = 3;
/** Milliseconds until ARP is asked again for a VM nothing else is known of. */
const ARP_AGAIN_MS = 10_000;

/** Sources of addresses. */
type Source = "agent" | "own" | "arp";

/** Our own agents in the guests. */
export interface OwnAddresses {
  /** Whether somebody looks. */
  isWatched(): boolean;
  /** @throws {ContractError} */
  ask(vm: VM): Promise<readonly GuestAddress[]>;
}

export class Addresses {
  readonly #nextProbe = new Map<string, number>();
  readonly #agent = new Map<string, readonly GuestAddress[]>();
  readonly #arp = new Map<string, readonly GuestAddress[]>();
  #leased: readonly DhcpLease[] = [];
  #running = false;

  constructor(
    readonly link: Pick<LibvirtLink, "call" | "machine">,
    readonly inventory: Pick<Inventory, "vms" | "vm" | "record" | "update"> & {
      readonly networks: Pick<NetworkInventory, "records" | "record">;
    },
    private readonly own: OwnAddresses,
    readonly clock: Clock = SYSTEM_CLOCK,
  ) {}

  /** A guest's agent has told its addresses to somebody: they are good for a while. */
  told(vmId: string, addresses: readonly GuestAddress[]): void {
    const vm = this.inventory.vm(vmId);
    if (vm === undefined || !isActiveState(this.inventory.record(vmId)?.state ?? 0)) return;
    this.#keep(this.#agent, vm, addresses);
    this.#tell(vm, this.#leased);
    const again = addressed(this.inventory.vm(vmId) ?? vm) ? AGENT_AGAIN_MS : AGENT_SOON_MS;
    this.#nextProbe.set(vmId, this.clock.monotonic() + again);
  }

  /** Whether a VM runs whose address is not known yet. */
  get wanting(): boolean {
    return this.#vms().some((vm) => !addressed(vm));
  }

  /** Asks everyone who is due, and tells the inventory. Runs once at a time. */
  async update(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      const vms = this.#vms();
      this.#forgetGone(new Set(vms.map((vm) => vm.id)));
      const leases = this.#leased = await this.#leases(vms);
      for (const vm of vms) this.#tell(vm, leases);
      // Guests that hang take seconds each: they are asked at the same time, but never take all of libvirt's workers
      await forEachConcurrent(PROBES, vms, async (vm) => {
        if (await this.#probe(vm)) this.#tell(vm, leases);
      });
    } finally {
      this.#running = false;
    }
  }

  #vms(): VM[] {
    return this.inventory.vms().filter((vm) =>
      isActiveState(this.inventory.record(vm.id)?.state ?? 0) && vm.networkInterfaces.length > 0
    );
  }

  #forgetGone(present: ReadonlySet<string>): void {
    for (const map of [this.#nextProbe, this.#agent, this.#arp]) {
      for (const id of map.keys()) if (!present.has(id)) map.delete(id);
    }
  }

  async #leases(vms: readonly VM[]): Promise<DhcpLease[]> {
    const used = new Set(
      vms.flatMap((vm) => vm.networkInterfaces).filter((nic) => nic.type === "network").map((nic) =>
        nic.network
      ),
    );
    const active = this.inventory.networks.records().filter((network) =>
      network.active && used.has(network.name)
    );
    const lists = await Promise.all(
      active.map(({ name }) =>
        leasesOn({ link: this.link, networks: this.inventory.networks }, name).catch((error) => {
          log.debug("leases could not be read", { network: name, error });
          return [];
        })
      ),
    );
    const seconds = this.clock.now() / 1000;
    return lists.flat().filter((lease) => lease.expires === 0 || lease.expires > seconds);
  }

  /** Asks the VM's agent, or ARP, when it is due; true when there is something new. */
  async #probe(vm: VM): Promise<boolean> {
    if (
      vm.state !== "running" || !vm.responsive || this.clock.monotonic() < (this.#nextProbe.get(vm.id) ?? 0)
    ) {
      return false;
    }
    const known = addressed(vm), source = this.#sourceOf(vm);
    if (source === "arp" && known) return false;
    this.#nextProbe.set(
      vm.id,
      this.clock.monotonic() + (source === "arp" ? ARP_AGAIN_MS : known ? AGENT_AGAIN_MS : AGENT_SOON_MS),
    );
    try {
      const found = source === "own"
        ? await this.own.ask(vm)
        : await this.link.call("domainAddresses", { uuid: vm.id, source });
      this.#keep(source === "arp" ? this.#arp : this.#agent, vm, found);
      return true;
    } catch (error) {
      if (!(error instanceof LibvirtError || error instanceof ContractError)) throw error;
      if (source !== "arp") this.#nextProbe.set(vm.id, this.clock.monotonic() + AGENT_FAILED_MS);
      log.debug("addresses could not be asked", { vm: vm.name, source, error });
      return false;
    }
  }

  #sourceOf({ guestAgents }: VM): Source {
    if (guestAgents["qemu-ga"] === "connected") return "agent";
    return guestAgents["kvm-manager-agent"] === "connected" && this.own.isWatched() ? "own" : "arp";
  }

  #keep(map: Map<string, readonly GuestAddress[]>, { id }: VM, found: readonly GuestAddress[]): void {
    map.set(id, found.filter(plausible).slice(0, MOST));
  }

  #tell(vm: VM, leases: readonly DhcpLease[]): void {
    const macs = new Set(vm.networkInterfaces.map((nic) => nic.mac.toLowerCase()));
    const leased = leases.filter((lease) => macs.has(lease.mac.toLowerCase()));
    const addresses = [...this.#agent.get(vm.id) ?? [], ...leased, ...this.#arp.get(vm.id) ?? []]
      .map(({ mac, address, prefix }) => ({ mac, address, prefix }));
    this.inventory.update(vm.id, { addresses });
  }
}

/** Whether every interface has an address beyond its own link: what a guest has before DHCP is none worth showing. */
function addressed(vm: VM): boolean {
  return vm.networkInterfaces.every(({ ipAddress }) => ipAddress !== undefined && !isLinkLocal(ipAddress));
}

/** Guests may say anything: only what looks like an address is taken over. */
function plausible({ address, prefix }: GuestAddress): boolean {
  return address.length <= 45 && /^[0-9a-fA-F:.]+$/.test(address) && prefix >= 0 && prefix <= 128;
}
