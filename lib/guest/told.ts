/**
 * A guest's report on itself, by libvirt's names (`os.name`, `fs.0.mountpoint`, …), as the contract has it. It is the
 * guest's own word: whatever does not fit is left out, and nothing is long. Pure.
 */
import type { GuestFilesystem, GuestInfo, GuestInterface, UserInfo } from "../contract/guest.ts";
import { isLinkLocal } from "../formats/ip/link_local.ts";
import { oneLine } from "../text/text.ts";

/** The names and values, as they come. */
export type GuestReport = Readonly<Record<string, unknown>>;

/** Entries of one list, and of a list within: more is no guest, but a lie. */
const MOST = 256, MOST_WITHIN = 64;
/** Characters of one value. */
const LONGEST = 256;

/** A text that can be shown; empty where there is none. */
export function toldText(value: unknown, longest = LONGEST): string {
  return typeof value === "string" ? oneLine(value.trim(), longest) : "";
}

/** Fields with a text in them; the others are left out. */
function texts<K extends string>(fields: Readonly<Record<K, string>>): Partial<Record<K, string>> {
  return Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== "")) as Partial<
    Record<K, string>
  >;
}

/** A whole number that is none below zero; undefined for anything else. */
function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The entries of a list that libvirt writes as `name.count` and `name.N.…`. */
function entries(told: GuestReport, name: string, most = MOST): string[] {
  const length = Math.min(count(told[`${name}.count`]) ?? 0, most);
  return Array.from({ length }, (_, index) => `${name}.${index}.`);
}

const ADDRESS = /^[0-9a-fA-F:.]{2,45}$/;
const MAC = /^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/;

/** The guest's network interfaces, without its loopback. */
export function toldInterfaces(told: GuestReport): GuestInterface[] {
  return entries(told, "if").flatMap((at) => {
    const name = toldText(told[`${at}name`], 64), mac = told[`${at}hwaddr`];
    if (name === "" || name === "lo") return [];
    const addresses = entries(told, `${at}addr`, MOST_WITHIN).flatMap((of) => {
      const address = told[`${of}addr`], prefix = count(told[`${of}prefix`]);
      if (typeof address !== "string" || !ADDRESS.test(address) || prefix === undefined || prefix > 128) {
        return [];
      }
      return [`${address}/${prefix}`];
    });
    const isMac = typeof mac === "string" && MAC.test(mac);
    return [{ name, ...(isMac && { mac: mac.toLowerCase() }), addresses }];
  });
}

/** Operating system. */
export function toldSystem(told: GuestReport): GuestInfo {
  const osId = toldText(told["os.id"], 64), kernel = toldText(told["os.kernel-release"]);
  const isWindows = osId === "mswindows";
  const interfaces = toldInterfaces(told);
  const offset = told["timezone.offset"];
  return {
    osType: isWindows ? "windows" : osId !== "" || kernel !== "" ? "linux" : "other",
    osVersion: toldText(told["os.pretty-name"]) || toldText(told["os.name"]),
    hostname: toldText(told.hostname),
    ipAddresses: interfaces.flatMap(({ addresses }) => addresses.map((each) => each.replace(/\/.*/, "")))
      .filter((each) => !isLinkLocal(each)),
    macAddresses: interfaces.flatMap(({ mac }) => mac ?? []),
    ...texts({
      osId,
      kernelVersion: kernel,
      architecture: toldText(told["os.machine"], 32),
      timeZone: toldText(told["timezone.name"], 64),
    }),
    ...(typeof offset === "number" && Math.abs(offset) <= 86_400 && {
      utcOffsetSeconds: Math.round(offset),
    }),
  };
}

/** Its file systems, by where they are mounted. */
export function toldFilesystems(told: GuestReport): GuestFilesystem[] {
  return entries(told, "fs").flatMap((at) => {
    const mountpoint = toldText(told[`${at}mountpoint`]);
    if (mountpoint === "") return [];
    const total = count(told[`${at}total-bytes`]), used = count(told[`${at}used-bytes`]);
    return [{
      name: toldText(told[`${at}name`]),
      mountpoint,
      type: toldText(told[`${at}fstype`], 64),
      ...(total !== undefined && { totalBytes: total }),
      ...(used !== undefined && total !== undefined && { usedBytes: Math.min(used, total) }),
      disks: entries(told, `${at}disk`, MOST_WITHIN).flatMap((of) =>
        toldText(told[`${of}alias`], 64) || toldText(told[`${of}device`], 64) || []
      ),
    }];
  }).sort((a, b) => a.mountpoint < b.mountpoint ? -1 : a.mountpoint > b.mountpoint ? 1 : 0);
}

/** Signed-in users. */
export function toldUsers(told: GuestReport): UserInfo[] {
  return entries(told, "user").flatMap((at) => {
    const name = toldText(told[`${at}name`]), domain = toldText(told[`${at}domain`]);
    const since = count(told[`${at}login-time`]);
    if (name === "") return [];
    return [{ name, ...(domain !== "" && { domain }), ...(since !== undefined && { since }) }];
  });
}
