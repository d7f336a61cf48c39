/** Network interfaces of a configuration, decided. Pure. */
import { freeMac } from "../../formats/xml/device_nic.ts";
import type { NewNic, VmConfig } from "../../contract/create.ts";
import type { Facts } from "./facts.ts";
import type { Findings } from "./findings.ts";
import type { NewVmNic } from "../../formats/xml/new_vm.ts";

/** The network that is taken when nothing is said: `default`, or the only one there is. No other one is guessed. */
export function usualNetwork(networks: Facts["networks"]): string | undefined {
  if (networks.length === 1) return networks[0]!.name;
  return networks.find(({ name }) => name === "default")?.name;
}

function wanted(config: VmConfig, { networks }: Facts, findings: Findings): { field: string; nic: NewNic }[] {
  const { nics, network } = config;
  if (nics !== undefined) {
    if (network !== undefined) {
      findings.invalid("network", "cannot be given together with nics: say it there");
    }
    return nics.map((nic, index) => ({ field: `nics.${index}`, nic }));
  }
  const usual = network ?? usualNetwork(networks);
  return usual === undefined ? [] : [{ field: "", nic: { network: usual } }];
}

const within = (field: string, name: string) => field === "" ? name : `${field}.${name}`;

function plug(
  field: string,
  { network, bridge }: NewNic,
  { networks, bridges }: Facts,
  findings: Findings,
  starts: boolean,
): Pick<NewVmNic, "type" | "source"> {
  if ((network === undefined) === (bridge === undefined)) {
    findings.invalid(field, "needs network or bridge, and not both");
  }
  if (bridge !== undefined) {
    if (bridges !== undefined && !bridges.has(bridge)) {
      findings.error(within(field, "bridge"), "BridgeNotFound", { bridge });
    }
    return { type: "bridge", source: bridge };
  }
  const found = networks.find(({ name }) => name === network);
  if (network !== undefined && found === undefined) {
    findings.error(within(field, "network"), "NetworkNotFound", { network });
  } else if (found?.active === false) {
    findings.warn(within(field, "network"), starts ? "NetworkIsStarted" : "NetworkNotActive", { network });
  }
  return { type: "network", source: network ?? "" };
}

/** Decides the interfaces; tells what is wrong with them. */
export function decideNics(config: VmConfig, facts: Facts, findings: Findings): NewVmNic[] {
  const { offer, os, macs } = facts;
  const offered = offer.nicModels as readonly NewVmNic["model"][];
  const list = wanted(config, facts, findings);
  const own = new Set<string>();
  const randomBytes = (count: number) => Uint8Array.from({ length: count }, facts.randomByte);
  const taken = new Set([...macs.keys(), ...list.map(({ nic }) => nic.mac?.toLowerCase() ?? "")]);
  return list.map(({ field, nic }) => {
    const { model } = nic;
    if (model !== undefined && !offered.includes(model)) {
      findings.missing(
        within(field, "model"),
        `network card ${model}`,
        `this VM takes ${offered.join(", ")}`,
      );
    }
    const mac = nic.mac?.toLowerCase() ?? freeMac(taken, randomBytes);
    const user = own.has(mac) ? "this VM" : macs.get(mac);
    if (user !== undefined) findings.error(within(field, "mac"), "MacInUse", { mac, vm: user });
    own.add(mac);
    taken.add(mac);
    const suits = offered.includes(os.defaults.nicModel) ? os.defaults.nicModel : "virtio";
    return {
      ...plug(field, nic, facts, findings, config.start === true),
      mac,
      model: model ?? suits,
      linkUp: nic.linkUp ?? true,
    };
  });
}
