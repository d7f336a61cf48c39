/** Answers of agents in the demo's guests, by libvirt's names. */
import type { GuestAddress } from "../../../ffi/calls/mod.ts";
import type { Params } from "../../../ffi/typed_params.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { hash } from "../world/chance.ts";
import type { DemoHost } from "../world/hosts.ts";
import { usedOf } from "../world/load.ts";
import { diskTargetOf } from "../world/node_xml.ts";
import { type DemoSystem, SYSTEMS } from "../world/systems.ts";
import type { DemoVm } from "../world/vms.ts";
import type { SimulatedSubject } from "./subjects.ts";

/** The subnet of networks that are a bridge of the host. */
const OFFICE = "10.10.0";
const VERSION = "8.2.2";
/** Commands that this agent has: none that runs programs or reads files, of which there are none. */
const COMMANDS = [
  "guest-ping",
  "guest-info",
  "guest-get-osinfo",
  "guest-network-get-interfaces",
  "guest-get-fsinfo",
  "guest-get-users",
  "guest-shutdown",
  "guest-fsfreeze-freeze",
  "guest-fsfreeze-thaw",
  "guest-set-time",
  "guest-set-user-password",
  "guest-ssh-get-authorized-keys",
  "guest-ssh-add-authorized-keys",
];

const refused = (message: string) => new LibvirtError({ code: VIR_ERR.OPERATION_INVALID, message });

/** @throws {LibvirtError} as libvirt says it of a guest without one */
export function requireAgent({ live }: SimulatedSubject): void {
  if (live?.includes("state='connected'") === true) return;
  throw refused("Guest agent is not responding: QEMU guest agent is not connected");
}

/** Addresses of a guest's cards. */
export function simulatedAddresses(host: DemoHost, { vm, summary }: SimulatedSubject): GuestAddress[] {
  return summary.interfaces.flatMap(({ mac, network }, index) => {
    const known = host.networks.find(({ name }) => name === network), last = vm.networks[index]?.[1];
    if (known === undefined || last === undefined) return [];
    return [{ mac, address: `${known.subnet ?? OFFICE}.${last}`, prefix: 24 }];
  });
}

function filesystems(vm: DemoVm, system: DemoSystem, now: number): Params {
  const [first, ...others] = vm.disks, isWindows = system.family === "windows";
  if (first === undefined) return {};
  const found = [
    ...system.filesystems.map(([mountpoint, type, share], index) => ({
      mountpoint,
      type,
      name: isWindows ? `\\\\?\\Volume{${index}}\\` : `${diskTargetOf(0)}${index + 1}`,
      total: first.gib * share,
      used: index === 0 ? usedOf(first, now, now) / GIB : 0.2 * first.gib * share,
    })),
    ...others.map((disk, index) => ({
      mountpoint: isWindows ? `${"DEF"[index]}:\\` : "/srv",
      type: isWindows ? "NTFS" : "xfs",
      name: `${diskTargetOf(index + 1)}1`,
      total: disk.gib * 0.99,
      used: usedOf(disk, now, now) / GIB,
    })),
  ];
  const params: Params = { "fs.count": found.length };
  found.forEach(({ mountpoint, type, name, total, used }, index) => {
    const at = `fs.${index}.`;
    Object.assign(params, {
      [`${at}mountpoint`]: mountpoint,
      [`${at}name`]: name,
      [`${at}fstype`]: type,
      [`${at}total-bytes`]: Math.round(total * GIB),
      [`${at}used-bytes`]: Math.round(used * GIB),
      [`${at}disk.count`]: 0,
    });
  });
  return params;
}

function interfaces(addresses: readonly GuestAddress[], isWindows: boolean): Params {
  const params: Params = { "if.count": addresses.length };
  addresses.forEach(({ mac, address, prefix }, index) => {
    const at = `if.${index}.`;
    Object.assign(params, {
      [`${at}name`]: isWindows ? `Ethernet ${index + 1}` : `enp${index + 1}s0`,
      [`${at}hwaddr`]: mac,
      [`${at}addr.count`]: 1,
      [`${at}addr.0.type`]: "ipv4",
      [`${at}addr.0.addr`]: address,
      [`${at}addr.0.prefix`]: prefix,
    });
  });
  return params;
}

/** Report of a guest's agent on its guest. @param now milliseconds since 1970 @throws {LibvirtError} */
export function guestParams(host: DemoHost, subject: SimulatedSubject, now: number): Params {
  requireAgent(subject);
  const { vm } = subject, system: DemoSystem = SYSTEMS[vm.system], isWindows = system.family === "windows";
  return {
    "os.id": system.id,
    "os.name": system.name,
    "os.pretty-name": system.name,
    "os.version": system.version,
    "os.kernel-release": system.kernel,
    "os.machine": "x86_64",
    "hostname": vm.name,
    "timezone.name": isWindows ? "W. Europe Standard Time" : "CET",
    "timezone.offset": 3600,
    "user.count": 1,
    "user.0.name": isWindows ? "Administrator" : "admin",
    "user.0.login-time": Math.floor(now - hash(vm.name) % 9_000_000),
    ...interfaces(simulatedAddresses(host, subject), isWindows),
    ...filesystems(vm, system, now / 1000),
  };
}

/** Answers of an agent, by its own protocol. */
const ANSWERS: Readonly<Record<string, (vm: DemoVm) => unknown>> = {
  "guest-ping": () => ({}),
  "guest-info": () => ({
    version: VERSION,
    supported_commands: COMMANDS.map((name) => ({ name, enabled: true, "success-response": true })),
  }),
  "guest-get-osinfo": ({ system }) => {
    const { id, name, version, kernel }: DemoSystem = SYSTEMS[system];
    return { id, name, "pretty-name": name, version, "kernel-release": kernel };
  },
};

/** The answer to a question by the agent's own protocol. @throws {LibvirtError} for what it does not know */
export function agentAnswer(subject: SimulatedSubject, command: string): unknown {
  requireAgent(subject);
  const { execute } = JSON.parse(command) as { execute: string };
  const answer = ANSWERS[execute];
  if (answer === undefined) {
    throw refused(
      `internal error: unable to execute QEMU agent command '${execute}': The command ${execute} has not been found`,
    );
  }
  return answer(subject.vm);
}
