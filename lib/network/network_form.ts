/** Networks as their plain forms send them, and what is wrong with them. The same on the server and in the browser. */
import { errorField } from "../text/error_field.ts";
import type { Input } from "../contract/mod.ts";
import type {
  NetworkFinding,
  NetworkMode,
  NetworkSettings,
  NewNetwork,
  PlainSetting,
} from "../contract/networks.ts";
import { CREATE_NETWORK, PLAIN_SETTINGS } from "./settings.const.ts";
import { lastText } from "../text/form_names.ts";
import { enteredIn, textIn, trimmedIn } from "../text/form_fields.ts";

const some = (value: string): string | undefined => value === "" ? undefined : value;
const words = (value: string): string[] => value.split(/[\s,]+/).filter(Boolean);
const lines = (value: string): string[][] => value.split("\n").map(words).filter((each) => each.length > 0);

/** Leaves out what is undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/** A whole number of a field; what is none becomes NaN, which the contract refuses at its field. */
const whole = (value: string): number | undefined => value === "" ? undefined : Number(value);

function subnetIn(form: FormData, family: "ipv4" | "ipv6"): NewNetwork["ipv4"] {
  const address = trimmedIn(form, `${family}.address`);
  if (address === "") return undefined;
  const start = trimmedIn(form, `${family}.start`), end = trimmedIn(form, `${family}.end`);
  const hosts = lines(trimmedIn(form, `${family}.hosts`)).map(([mac, ip = "", hostname]) =>
    defined({ mac, ip, hostname })
  );
  return {
    address,
    ranges: start !== "" || end !== "" ? [{ start, end }] : [],
    ...(hosts.length > 0 && { hosts }),
  };
}

/**
 * Value of a simple setting in a form; undefined for none. Text that is no number becomes NaN, as {@link whole} has it.
 */
function plainIn(form: FormData, setting: PlainSetting): number | boolean | undefined {
  const text = lastText(form.getAll(setting).filter((each) => typeof each === "string")).trim();
  return CREATE_NETWORK.fields[setting].kind === "boolean" ? text === "yes" || undefined : whole(text);
}

/** The network a form describes. @param mode one of the contract's; anything else is refused by it */
export function networkIn(form: FormData): NewNetwork {
  const field = (name: string) => some(trimmedIn(form, name));
  const list = (name: string) => {
    const found = words(trimmedIn(form, name));
    return found.length > 0 ? found : undefined;
  };
  const speed = (name: string) => {
    const averageKib = whole(trimmedIn(form, name));
    return averageKib === undefined ? undefined : { averageKib };
  };
  const [inbound, outbound] = [speed("inbound"), speed("outbound")];
  const tags = list("vlan.tags")?.map(Number);
  const dnsHosts = lines(trimmedIn(form, "dnsHosts")).map(([ip = "", ...hostnames]) => ({ ip, hostnames }));
  const native = whole(trimmedIn(form, "vlan.native"));
  return defined({
    name: textIn(form, "name"),
    mode: trimmedIn(form, "mode") as NetworkMode,
    bridge: enteredIn(form, "bridge"),
    devices: list("devices"),
    macvtapMode: field("macvtapMode") as NewNetwork["macvtapMode"],
    ipv4: subnetIn(form, "ipv4"),
    ipv6: subnetIn(form, "ipv6"),
    ipv6Nat: form.has("ipv6Nat") || undefined,
    domain: enteredIn(form, "domain"),
    localDomain: form.has("localDomain") || undefined,
    dnsHosts: dnsHosts.length > 0 ? dnsHosts : undefined,
    forwarders: list("forwarders"),
    ...Object.fromEntries(PLAIN_SETTINGS.map((each) => [each, plainIn(form, each)])),
    bandwidth: inbound || outbound ? defined({ inbound, outbound }) : undefined,
    vlan: tags && defined({ tags, native, trunk: form.has("vlan.trunk") || undefined }),
    start: form.has("start"),
    autostart: form.has("autostart"),
  }) as NewNetwork;
}

/** A network's settings as the fields of their form begin. */
export function settingsValues(settings: NetworkSettings): Record<string, string> {
  const { domain, localDomain, forwarders, dnsHosts, bandwidth } = settings;
  const typed = (value: number | boolean | undefined) =>
    typeof value === "boolean" ? value ? "yes" : "no" : String(value ?? "");
  return {
    domain: domain ?? "",
    ...(localDomain && { localDomain: "on" }),
    forwarders: forwarders.join(" "),
    dnsHosts: dnsHosts.map(({ ip, hostnames }) => [ip, ...hostnames].join(" ")).join("\n"),
    ...Object.fromEntries(PLAIN_SETTINGS.map((each) => [each, typed(settings[each])])),
    inbound: String(bandwidth?.inbound?.averageKib ?? ""),
    outbound: String(bandwidth?.outbound?.averageKib ?? ""),
  };
}

/** Changes in the form of settings: the fields it has, as far as they differ. */
export function settingsIn(form: FormData, was: NetworkSettings): Omit<Input<"update_network">, "name"> {
  const before = settingsValues(was);
  const spelled = (value: string) => value.replaceAll("\r", "");
  const changed = (name: string) =>
    form.has(name) && spelled(textIn(form, name)) !== spelled(before[name] ?? "");
  const plain = PLAIN_SETTINGS.filter((each) => form.has(each)).flatMap((each): [string, unknown][] => {
    const value = plainIn(form, each);
    return value === was[each] ? [] : [[each, value ?? null]];
  });
  // Peak and burst have no field: they stay while their mean does.
  const speed = (way: "inbound" | "outbound") => {
    if (!changed(way)) return was.bandwidth?.[way];
    const averageKib = whole(trimmedIn(form, way));
    return averageKib === undefined ? undefined : { averageKib };
  };
  const [inbound, outbound] = [speed("inbound"), speed("outbound")];
  // A box that is not ticked is not sent; its form has a domain.
  const local = form.has("localDomain");
  return defined({
    domain: changed("domain") ? enteredIn(form, "domain") ?? null : undefined,
    localDomain: form.has("domain") && local !== was.localDomain ? local : undefined,
    forwarders: changed("forwarders") ? words(trimmedIn(form, "forwarders")) : undefined,
    dnsHosts: changed("dnsHosts")
      ? lines(trimmedIn(form, "dnsHosts")).map(([ip = "", ...hostnames]) => ({ ip, hostnames }))
      : undefined,
    ...Object.fromEntries(plain),
    bandwidth: changed("inbound") || changed("outbound")
      ? inbound || outbound ? defined({ inbound, outbound }) : null
      : undefined,
  }) as Omit<Input<"update_network">, "name">;
}

/** Finding of a refused command about a field; none if it is about the whole. */
export function findingIn(error: { code: string; message: string; details?: unknown }): NetworkFinding[] {
  const field = errorField(error);
  return field === undefined ? [] : [{ field, code: error.code, message: error.message, severity: "error" }];
}

/** Warnings before a valid network is made. */
export const warningsIn = (findings: readonly NetworkFinding[]): string =>
  findings.filter(({ severity }) => severity === "warning").map(({ message }) => message).join(" ");

/** Error of a field, or of one below it. */
export function findingOf(findings: readonly NetworkFinding[], field: string): string | undefined {
  return findings.find((each) =>
    each.severity === "error" && (each.field === field || each.field.startsWith(`${field}.`))
  )?.message;
}
