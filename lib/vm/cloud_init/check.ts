/** Checks of cloud-init's fields that a schema cannot make; every fault names its field. */
import { type CloudInit, type CloudInitNic, type CloudInitUser } from "../../contract/cloud_init.ts";
import { KEPT_SECRET } from "../../contract/cloud_init_bounds.ts";
import { isHostOf, parseSubnet } from "../../formats/ip/cidr.ts";
import { familyOfPrefix, hasWholeSubnet, isIpv4, isIpv6, isOutside, isOwnAddress } from "./address.ts";
import { sshKeyFault } from "./ssh_key.ts";

/** A fault: the field's path (`form.users.0.name`) and the rest of the sentence about it. */
export interface Fault {
  readonly field: string;
  readonly message: string;
}

/** A rule for one line: what it must match, and how to say so. */
interface Rule {
  readonly pattern: RegExp;
  readonly must: string;
}

const LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

const RULES = {
  hostname: {
    pattern: new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`),
    must: "must be a host name: letters, digits and dashes in parts of at most 63, with dots between them",
  },
  login: {
    pattern: /^[a-z_][a-z0-9_-]{0,31}$/,
    must: "must be a login name: a small letter or _, then small letters, digits, - and _ (32 at most)",
  },
  fullName: { pattern: /^[^:,]*$/, must: "must not have a colon or a comma" },
  hash: {
    pattern: /^\$(1|2[abxy]|5|6|7|y|gy)\$[A-Za-z0-9./$,=+-]{8,}$/,
    must: "must be a crypt(3) hash such as mkpasswd gives: $6$…, $y$…",
  },
  path: { pattern: /^(\/[A-Za-z0-9._+-]+)+$/, must: "must be an absolute path" },
  package: {
    pattern: /^[A-Za-z0-9][A-Za-z0-9+.:~_=*@/-]*$/,
    must: "must be a package name, with =version where needed",
  },
  timezone: { pattern: /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/, must: "must be a time zone: Europe/Vienna" },
  locale: { pattern: /^[A-Za-z][A-Za-z0-9_.@-]*$/, must: "must be a locale: en_US.UTF-8" },
  key: {
    pattern: /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
    must: "must be a key of letters, digits, - and _ (64 at most)",
  },
  mac: { pattern: /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/, must: "must be a MAC address: 52:54:00:12:34:56" },
} as const satisfies Record<string, Rule>;

/** Collects faults below a path. */
class Faults {
  readonly found: Fault[] = [];

  add(field: string, message: string): void {
    this.found.push({ field, message });
  }

  rule(field: string, value: string | undefined, { pattern, must }: Rule): void {
    if (value !== undefined && !pattern.test(value)) this.add(field, must);
  }

  each(field: string, values: readonly string[] | undefined, rule: Rule): void {
    values?.forEach((value, index) => this.rule(`${field}.${index}`, value, rule));
  }

  unique(fields: readonly { readonly field: string; readonly value: string }[], what: string): void {
    const seen = new Set<string>();
    for (const { field, value } of fields) {
      if (seen.has(value)) this.add(field, `must not be ${what} twice`);
      seen.add(value);
    }
  }
}

function checkUser(faults: Faults, at: string, user: CloudInitUser): void {
  faults.rule(`${at}.name`, user.name, RULES.login);
  faults.rule(`${at}.fullName`, user.fullName, RULES.fullName);
  faults.rule(`${at}.shell`, user.shell, RULES.path);
  faults.each(`${at}.groups`, user.groups, RULES.login);
  if (user.password !== undefined && user.passwordHash !== undefined) {
    faults.add(`${at}.password`, "must be left out where passwordHash is given");
  }
  if (user.passwordHash !== KEPT_SECRET) faults.rule(`${at}.passwordHash`, user.passwordHash, RULES.hash);
  user.sshKeys?.forEach((key, index) => {
    const fault = sshKeyFault(key);
    if (fault !== undefined) faults.add(`${at}.sshKeys.${index}`, fault);
  });
}

function checkNic(faults: Faults, at: string, nic: CloudInitNic): void {
  faults.rule(`${at}.mac`, nic.mac, RULES.mac);
  nic.addresses?.forEach((address, index) => {
    if (familyOfPrefix(address) === undefined) {
      faults.add(`${at}.addresses.${index}`, "must be an address with its prefix length: 192.0.2.10/24");
      return;
    }
    const subnet = parseSubnet(address);
    if (subnet !== undefined && !isHostOf(subnet, subnet)) {
      faults.add(`${at}.addresses.${index}`, "must not be the first or the last address of its subnet");
    }
  });
  const families = new Set(nic.addresses?.map(familyOfPrefix));
  const gateway = (
    field: string,
    value: string | undefined,
    family: 4 | 6,
    fits: (text: string) => boolean,
  ) => {
    if (value === undefined) return;
    if (!fits(value)) return faults.add(`${at}.${field}`, `must be an IPv${family} address`);
    if (!families.has(family)) {
      return faults.add(`${at}.${field}`, `needs a static IPv${family} address as well`);
    }
    const addresses = nic.addresses ?? [];
    if (isOwnAddress(value, addresses)) faults.add(`${at}.${field}`, "must not be the card's own address");
    else if (family === 4 && isOutside(value, addresses) && hasWholeSubnet(addresses)) {
      faults.add(
        `${at}.${field}`,
        "must be in the subnet of a static address, or that have the prefix length 32",
      );
    }
  };
  gateway("gateway4", nic.gateway4, 4, isIpv4);
  gateway("gateway6", nic.gateway6, 6, isIpv6);
  nic.nameservers?.forEach((address, index) => {
    if (!isIpv4(address) && !isIpv6(address)) {
      faults.add(`${at}.nameservers.${index}`, "must be an IP address");
    }
  });
  faults.each(`${at}.searchDomains`, nic.searchDomains, RULES.hostname);
}

/** Meta-data that is made here. */
const OWN_META_DATA: ReadonlySet<string> = new Set(["instance-id", "instance_id"]);

/** Faults of the input, in the order of its fields; empty for none. YAML is not parsed. */
export function checkCloudInit(cloudInit: CloudInit): Fault[] {
  const { form, userData, network, networkConfig, metaData } = cloudInit;
  const faults = new Faults();
  if (form !== undefined && userData !== undefined) {
    faults.add("userData", "must be left out where the form is given");
  }
  if (network !== undefined && networkConfig !== undefined) {
    faults.add("networkConfig", "must be left out where network is given");
  }
  if (form === undefined && userData === undefined && network === undefined && networkConfig === undefined) {
    faults.add("form", "or userData must say what to set up");
  }
  if (form !== undefined) {
    faults.rule("form.hostname", form.hostname, RULES.hostname);
    form.users?.forEach((user, index) => checkUser(faults, `form.users.${index}`, user));
    faults.unique(
      form.users?.map(({ name }, index) => ({ field: `form.users.${index}.name`, value: name })) ?? [],
      "there",
    );
    faults.each("form.packages", form.packages, RULES.package);
    form.runCommands?.forEach((command, index) => {
      // deno-lint-ignore no-control-regex -- these are the characters that a command must not have
      if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/.test(command)) {
        faults.add(`form.runCommands.${index}`, "must not have control characters");
      }
    });
    faults.rule("form.timezone", form.timezone, RULES.timezone);
    faults.rule("form.locale", form.locale, RULES.locale);
  }
  network?.forEach((nic, index) => checkNic(faults, `network.${index}`, nic));
  faults.unique(
    network?.flatMap(({ mac }, index) =>
      mac === undefined ? [] : [{ field: `network.${index}.mac`, value: mac.toLowerCase() }]
    ) ?? [],
    "described",
  );
  faults.unique(
    network?.flatMap(({ addresses }, index) =>
      addresses?.flatMap((address, each) =>
        familyOfPrefix(address) === undefined ? [] : [{
          field: `network.${index}.addresses.${each}`,
          value: address.split("/")[0]!.toLowerCase(),
        }]
      ) ?? []
    ) ?? [],
    "given",
  );
  for (const key of Object.keys(metaData ?? {})) {
    faults.rule(`metaData.${key.slice(0, 64)}`, key, RULES.key);
    if (OWN_META_DATA.has(key)) {
      faults.add(`metaData.${key}`, "is made again with every change and cannot be given");
    }
  }
  return faults.found;
}
