/** Command line functions for networks and port forwards outside the contract. */
import { message } from "../../lib/i18n/message.ts";
import { COMMANDS, type VM } from "../../lib/contract/mod.ts";
import type { Server } from "../connect/server.ts";
import type { ExtrasTable, InputDraft, VerbExtras } from "./verb_extras.ts";
import { idsOf } from "./resolve_ids.ts";
import { UsageError } from "./values.ts";

/** The field with the network: the contract's first place. */
const NETWORK_FIELD = COMMANDS.add_port_forward.cli.find((part) => part.startsWith("<"))!.slice(1, -1);

/** `web1:80 8080`, `web1:53 5353/udp`, `web1:8000 8000-8010`, `192.168.122.7:80 127.0.0.1:8080`. */
function readForward([target = "", host, ...others]: readonly string[]): InputDraft | undefined {
  const [, to, targetPort] = /^(.+):(\d+)$/.exec(target) ?? [];
  if (to === undefined) return undefined;
  if (host === undefined || others.length > 0) {
    throw new UsageError("say the host's port behind VM:PORT, like 8080");
  }
  const [, address, first, last, protocol = "tcp"] =
    /^(?:(\[[0-9a-f:]+\]|[0-9.]+):)?(\d+)(?:-(\d+))?(?:\/([a-z]+))?$/i.exec(host) ?? [];
  if (first === undefined) {
    throw new UsageError(
      message`${JSON.stringify(host)} is no port of the host: say 8080, 8000-8010, 53/udp or 127.0.0.1:8080`,
    );
  }
  const isAddress = /^[0-9.]+$|^\[.*:.*\]$/.test(to);
  return {
    ...(isAddress ? { address: to.replace(/^\[|\]$/g, "") } : { vmId: to }),
    targetPort: Number(targetPort),
    hostPort: Number(first),
    ...(last !== undefined && { hostPortEnd: Number(last) }),
    ...(address !== undefined && { hostAddress: address.replace(/^\[|\]$/g, "") }),
    protocol,
  };
}

/** The network a VM is on, where it is on one alone. @throws {UsageError} */
async function networkOf(server: Server, vm: string): Promise<string> {
  const [vmId] = await idsOf(server, "vmId", vm);
  const { name, networkInterfaces } = await server.call("get_vm", { vmId }) as VM;
  const networks = [
    ...new Set(networkInterfaces.filter(({ type }) => type === "network").map(({ network }) => network)),
  ];
  if (networks.length === 1) return networks[0]!;
  throw new UsageError(
    networks.length === 0
      ? message`${name} is on no libvirt network: nothing can be forwarded to it`
      : message`${name} is on several networks (${
        networks.join(", ")
      }): say which: kvm-manager forward add NETWORK tcp PORT --vm-id ${name}`,
  );
}

/** `--dhcp 10.0.0.10-10.0.0.99`, `--dhcp none`. */
const DHCP: Pick<VerbExtras, "shorthands" | "expand"> = {
  shorthands: {
    dhcp: {
      value: "FIRST-LAST|none",
      multiple: true,
      text: "addresses that DHCP gives to guests; all of the IPv4 subnet when left out",
    },
  },
  expand: (input, { dhcp }) => {
    if (!Array.isArray(dhcp)) return Promise.resolve();
    const ipv4 = input.ipv4 as InputDraft | undefined;
    if (ipv4?.address === undefined) {
      throw new UsageError("--dhcp needs --address, the host's address in the network");
    }
    const given = dhcp.filter((text) => text !== "none");
    ipv4.ranges = given.map((text) => {
      const [, start, end] = /^([0-9.]+)-([0-9.]+)$/.exec(text) ?? [];
      if (start !== undefined) return { start, end };
      throw new UsageError(
        message`--dhcp is ${JSON.stringify(text)}; it must be two addresses, like 10.0.0.10-10.0.0.99`,
      );
    });
    return Promise.resolve();
  },
};

export const NETWORK_EXTRAS: ExtrasTable = {
  create_network: DHCP,
  check_network: DHCP,
  add_port_forward: {
    otherPlaces: { usage: "<vm>:<port> <hostPort>[/udp]", read: readForward },
    expand: async (input, _given, { server }) => {
      if (input[NETWORK_FIELD] === undefined && typeof input.vmId === "string") {
        input[NETWORK_FIELD] = await networkOf(server, input.vmId);
      }
    },
  },
};
