/**
 * The kernel's side of port forwards: our tables of nftables, the pair of devices and the routing table that packets
 * take past the bridges' rules. Everything is made and removed under names of our own.
 */
import type { Family } from "../../../lib/formats/ip/cidr.ts";
import {
  type ForwardNames,
  type ForwardRule,
  forwardTransaction,
} from "../../../lib/formats/nft/forwards.ts";
import { tableOf } from "../../../lib/formats/nft/json.ts";
import { isThere } from "../../machine/files.ts";
import { DEVICES } from "../../machine/network_devices.ts";
import { findTool, ForwardToolError, runTool } from "./tools.ts";

/** Place of our routing rules among others': after the kernel's own table of local addresses, before the main one. */
const RULE_PRIORITY = "4471";
const FAMILIES: readonly Family[] = [4, 6];

/** The most a device may send at once, so that what is too large for the bridge is refused on its way there. */
async function mtuOf(device: string): Promise<string> {
  return (await Deno.readTextFile(`${DEVICES}/${device}/mtu`)).trim();
}

const toolsMissing = { nft: "install nftables", ip: "install iproute2" } as const;

export class ForwardKernel {
  readonly #names: ForwardNames;
  /** Our tables as the kernel listed them after the last change. */
  #listed: string | undefined;
  #isAllowed = false;

  constructor(names: ForwardNames) {
    this.#names = names;
  }

  /** Why nothing can be forwarded, and what to do; undefined when it can. */
  async unavailable(): Promise<string | undefined> {
    for (const [name, reason] of Object.entries(toolsMissing)) {
      if (await findTool(name) === undefined) return reason;
    }
    if (this.#isAllowed) return undefined;
    try {
      await runTool("nft", ["-j", "list", "tables"]);
      this.#isAllowed = true;
      return undefined;
    } catch (error) {
      if (!(error instanceof ForwardToolError)) throw error;
      return /not permitted|permission denied/i.test(error.message)
        ? "no rights, run KVM Manager as root (or with CAP_NET_ADMIN)"
        : `nftables does not work here: ${error.message}`;
    }
  }

  /** Whether something of ours is in the kernel. */
  present(): Promise<boolean> {
    return isThere(`${DEVICES}/${this.#names.out}`);
  }

  /** Whether the kernel still has what was made last. */
  async stands(): Promise<boolean> {
    if (this.#listed === undefined || !await this.present()) return false;
    try {
      return await this.#list() === this.#listed && await this.#isRouted();
    } catch (error) {
      if (error instanceof ForwardToolError) return false; // a table is not there: somebody flushed the ruleset
      throw error;
    }
  }

  /** Makes the kernel forward exactly this. Rules that are in force stay until the new ones are. @throws {ForwardToolError} */
  async apply(rules: readonly ForwardRule[]): Promise<void> {
    this.#listed = undefined;
    const wasPresent = await this.present();
    try {
      await this.#makeDevices();
      for (const family of FAMILIES) {
        await this.#route(
          family,
          rules.filter((rule) => rule.family === family),
        );
      }
      await runTool("nft", ["-j", "-f", "-"], JSON.stringify(forwardTransaction(rules, this.#names)));
      this.#listed = await this.#list();
    } catch (error) {
      if (!wasPresent) await this.clear();
      throw error;
    }
  }

  /** Removes everything of ours. @throws {ForwardToolError} */
  async clear(): Promise<void> {
    this.#listed = undefined;
    await runTool("nft", ["-j", "-f", "-"], JSON.stringify(forwardTransaction([], this.#names)));
    for (const family of FAMILIES) await this.#route(family, []);
    if (await this.present()) await runTool("ip", ["link", "delete", "dev", this.#names.out]);
  }

  async #list(): Promise<string> {
    const { table } = this.#names;
    const inet = await runTool("nft", ["-j", "list", "table", "inet", table]);
    const netdev = await runTool("nft", ["-j", "list", "table", "netdev", table]);
    return tableOf(inet) + tableOf(netdev);
  }

  /** A pair of devices, each the other's end of a wire. They request no addresses: ours is the only way between. */
  async #makeDevices(): Promise<void> {
    const { out, in: end } = this.#names;
    if (!await this.present()) {
      await runTool("ip", ["link", "add", "name", out, "type", "veth", "peer", "name", end]);
    }
    for (const device of [out, end]) {
      // Without IPv6 in the kernel there is no such setting.
      const quiet = await isThere("/proc/sys/net/ipv6") ? ["addrgenmode", "none"] : [];
      await runTool("ip", ["link", "set", "dev", device, ...quiet, "arp", "off", "mtu", "65535", "up"]);
    }
  }

  async #isRouted(): Promise<boolean> {
    const found = await Promise.all(FAMILIES.map((family) => this.#rules(family)));
    return found.some((count) => count > 0);
  }

  /** How many rules lead to our routing table. */
  async #rules(family: Family): Promise<number> {
    const printed = await runTool("ip", [
      `-${family}`,
      "-j",
      "rule",
      "list",
      "priority",
      RULE_PRIORITY,
      "fwmark",
      String(this.#names.mark),
    ]);
    return (JSON.parse(printed === "" ? "[]" : printed) as unknown[]).length;
  }

  /** Leads marked packets for these subnets to our device; without any, takes the way back. */
  async #route(family: Family, rules: readonly ForwardRule[]): Promise<void> {
    const { out, mark } = this.#names;
    if (family === 6 && rules.length === 0 && !await isThere("/proc/sys/net/ipv6")) return;
    const table = String(mark);
    const bridges = new Map(
      rules.map(({ subnet, bridge }) => [`${subnet.address}/${subnet.prefix}`, bridge]),
    );
    for (const [subnet, bridge] of bridges) {
      const way = ["dev", out, "table", table, "mtu", "lock", await mtuOf(bridge)];
      await runTool("ip", [`-${family}`, "route", "replace", subnet, ...way]);
    }
    for (const subnet of await this.#routed(family)) {
      if (bridges.has(subnet)) continue;
      await runTool("ip", [`-${family}`, "route", "delete", subnet, "dev", out, "table", table]);
    }
    const way = ["priority", RULE_PRIORITY, "fwmark", table, "lookup", table];
    const present = await this.#rules(family);
    if (bridges.size > 0 && present === 0) await runTool("ip", [`-${family}`, "rule", "add", ...way]);
    if (bridges.size === 0) {
      for (let left = present; left > 0; left--) {
        await runTool("ip", [`-${family}`, "rule", "delete", ...way]);
      }
    }
  }

  /** Subnets in our routing table. */
  async #routed(family: Family): Promise<string[]> {
    const { out, mark } = this.#names;
    if (!await this.present()) return [];
    // Asked by device: a table without routes is an error to `ip`, a device without them is not.
    const printed = await runTool("ip", [
      `-${family}`,
      "-j",
      "route",
      "show",
      "table",
      "all",
      "dev",
      out,
    ]);
    const routes = JSON.parse(printed === "" ? "[]" : printed) as { dst?: unknown; table?: unknown }[];
    return routes.filter(({ table }) => String(table) === String(mark)).map(({ dst }) => String(dst));
  }
}
