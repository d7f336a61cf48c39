/** Documents of a seed, as values and as cloud-init's own text. Source: cloud-init's reference, NoCloud. */
import type {
  CloudInit,
  CloudInitFiles,
  CloudInitForm,
  CloudInitNic,
  CloudInitUser,
} from "../../contract/cloud_init.ts";
import { familyOfPrefix, isOutside } from "./address.ts";
import { CLOUD_CONFIG, writeYaml } from "./yaml.ts";

/** VM of a seed: data in addition to the user's input. */
export interface SeedSubject {
  readonly vmName: string;
  readonly instanceId: string;
  /** MAC addresses of the VM's interfaces, in their order. */
  readonly macs: readonly string[];
}

/** Values without the undefined ones. */
function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

const SUDO: Readonly<Record<NonNullable<CloudInitUser["sudo"]>, string | undefined>> = {
  none: undefined,
  password: "ALL=(ALL) ALL",
  nopasswd: "ALL=(ALL) NOPASSWD:ALL",
};

function userConfig(user: CloudInitUser): Record<string, unknown> {
  return given({
    name: user.name,
    gecos: user.fullName,
    shell: user.shell ?? "/bin/bash",
    groups: user.groups?.length ? user.groups : undefined,
    sudo: SUDO[user.sudo ?? "none"],
    // `passwd` is for new users alone; this one changes those that are there too (root).
    hashed_passwd: user.passwordHash,
    lock_passwd: user.passwordHash === undefined,
    ssh_authorized_keys: user.sshKeys?.length ? user.sshKeys.map((key) => key.trim()) : undefined,
  });
}

/** The form as cloud-config. */
function cloudConfig(form: CloudInitForm): Record<string, unknown> {
  const { hostname } = form;
  return given({
    hostname: hostname?.split(".")[0],
    fqdn: hostname?.includes(".") ? hostname : undefined,
    // So that the name can be found without a DNS server: sudo and hostname -f ask for it.
    manage_etc_hosts: hostname === undefined ? undefined : "localhost",
    users: form.users?.length ? form.users.map(userConfig) : undefined,
    ssh_pwauth: form.sshPasswordLogin,
    timezone: form.timezone,
    locale: form.locale,
    package_update: form.packageUpdate,
    package_upgrade: form.packageUpgrade,
    packages: form.packages?.length ? form.packages : undefined,
    runcmd: form.runCommands?.length ? form.runCommands : undefined,
  });
}

function nicConfig(nic: CloudInitNic, index: number, mac: string): Record<string, unknown> {
  const { addresses = [] } = nic;
  const onLink = [nic.gateway4, nic.gateway6].filter((each) =>
    each !== undefined && isOutside(each, addresses)
  );
  const servers = nic.nameservers ?? [], search = nic.searchDomains ?? [];
  return given({
    match: { macaddress: mac.toLowerCase() },
    // Older cloud-inits write the interface's key into files where they need its name: both must be the same.
    "set-name": `eth${index}`,
    dhcp4: nic.dhcp4 ?? !addresses.some((address) => familyOfPrefix(address) === 4),
    dhcp6: nic.dhcp6 ?? false,
    addresses: addresses.length > 0 ? addresses : undefined,
    // Not as routes: for those cloud-init calls `route` on systems with ifupdown, which is mostly not installed. A gateway
    // outside the subnets is reached by a route alone, which says that it is on the link.
    gateway4: onLink.includes(nic.gateway4) ? undefined : nic.gateway4,
    gateway6: onLink.includes(nic.gateway6) ? undefined : nic.gateway6,
    routes: onLink.length === 0 ? undefined : onLink.map((via) => ({
      to: via!.includes(":") ? "::/0" : "0.0.0.0/0",
      via,
      "on-link": true,
    })),
    nameservers: servers.length + search.length === 0 ? undefined : given({
      addresses: servers.length ? servers : undefined,
      search: search.length ? search : undefined,
    }),
  });
}

/** A network is described for an interface that the VM does not have. */
export class NoSuchNic extends Error {
  override readonly name = "NoSuchNic";
  constructor(readonly index: number) {
    super(`interface ${index + 1} has no MAC address`);
  }
}

/** @throws {NoSuchNic} when a described interface has no MAC address, given or known */
function networkConfig(network: readonly CloudInitNic[], macs: readonly string[]): Record<string, unknown> {
  const entries = network.map((nic, index) => {
    const mac = nic.mac ?? macs[index];
    if (mac === undefined) throw new NoSuchNic(index);
    // The number is the VM's where it has this interface, so that eth0 is its first.
    const known = macs.findIndex((each) => each.toLowerCase() === mac.toLowerCase());
    const number = known < 0 ? index : known;
    return [`eth${number}`, nicConfig(nic, number, mac)] as const;
  });
  return { version: 2, ethernets: Object.fromEntries(entries) };
}

/** A VM's name as a host name: what stands before its first dot; an underscore is none of its characters. */
export function hostnameOf(vmName: string): string {
  return vmName.split(".")[0]!.replaceAll("_", "-").replace(/^-+|-+$/g, "").slice(0, 63) || "vm";
}

/**
 * The documents of a seed. What it is made of was checked, and its passwords are hashes.
 *
 * @throws {NoSuchNic}
 */
export function documentsOf(cloudInit: CloudInit, { vmName, instanceId, macs }: SeedSubject): CloudInitFiles {
  const { form, userData, network, networkConfig: wholeNetwork, metaData } = cloudInit;
  const config = cloudConfig(form ?? {});
  const written = Object.keys(config).length === 0 ? "" : writeYaml(config);
  const networkText = wholeNetwork ?? (network && writeYaml(networkConfig(network, macs)));
  return {
    userData: userData ?? `${CLOUD_CONFIG}\n${written}`,
    metaData: writeYaml({
      "instance-id": instanceId,
      "local-hostname": form?.hostname?.split(".")[0] ?? hostnameOf(vmName),
      ...metaData,
    }),
    ...(networkText !== undefined && { networkConfig: networkText }),
  };
}
