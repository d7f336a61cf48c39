/**
 * Forms about disks and network cards → commands: the same in the browser, which loads this when a form is sent, and,
 * without script, on the server.
 */
import type { Api } from "../contract/api.ts";
import { ANTI_SPOOFING } from "../contract/choices.ts";
import type { ConfigFinding, DeviceApplied, Input } from "../contract/mod.ts";
import { diskLimitsTyped, nicLimitsTyped } from "../text/device_limits.ts";
import { textIn, trimmedIn } from "../text/form_fields.ts";

type DeviceApi = Pick<
  Api,
  | "attachDisk"
  | "detachDisk"
  | "resizeDisk"
  | "moveDisk"
  | "updateDisk"
  | "insertMedia"
  | "ejectMedia"
  | "attachNic"
  | "detachNic"
  | "updateNic"
  | "attachShare"
  | "detachShare"
>;

const ticked = (form: FormData, name: string) => form.get(name) === "yes";

/** The fields that were filled in. Words are passed on as they are: the server knows which there are. */
function filled<T extends object>(fields: { [K in keyof T]?: unknown }): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== "" && value !== undefined),
  ) as Partial<T>;
}

/** A number a person typed; text that is none is passed on for the server to name. */
function count(value: string): number | undefined {
  return value === ""
    ? undefined
    : Number.isFinite(Number(value))
    ? Number(value)
    : value as unknown as number;
}

const WHERE: Readonly<Record<string, { live?: boolean; persistent?: boolean }>> = {
  live: { persistent: false },
  next: { live: false },
};
const whereOf = (form: FormData) => {
  const word = trimmedIn(form, "where");
  return Object.hasOwn(WHERE, word) ? WHERE[word] : {};
};

/** The image a form names: typed as a path, else chosen from a list. As it is typed: a name may end with a blank. */
const pathIn = (form: FormData, field: string) => textIn(form, `${field}Path`) || textIn(form, field);

/** The image a form names, if it names one. */
function imageOf(form: FormData, field: string): { path?: string } {
  const path = pathIn(form, field);
  return path === "" ? {} : { path };
}

function attachDisk(vmId: string, form: FormData): Input<"attach_disk"> {
  const what = trimmedIn(form, "what");
  const isDrive = what === "cdrom";
  const made = what === "create"
    ? {
      create: {
        sizeGb: count(trimmedIn(form, "sizeGb")) ?? 0,
        ...filled<NonNullable<Input<"attach_disk">["create"]>>({
          pool: textIn(form, "pool"),
          format: trimmedIn(form, "format"),
        }),
      },
    }
    : isDrive
    ? { device: "cdrom" as const, ...imageOf(form, "medium") }
    : {
      ...imageOf(form, "image"),
      ...filled<Input<"attach_disk">>({ format: trimmedIn(form, "imageFormat") }),
    };
  return {
    vmId,
    ...made,
    ...filled<Input<"attach_disk">>({
      bus: trimmedIn(form, "bus"),
      ...(!isDrive && {
        cache: trimmedIn(form, "cache"),
        io: trimmedIn(form, "io"),
        discard: trimmedIn(form, "discard"),
        detectZeroes: trimmedIn(form, "detectZeroes"),
        serial: textIn(form, "serial"),
        readOnly: ticked(form, "readOnly") || undefined,
        shareable: ticked(form, "shareable") || undefined,
        ...diskLimitsTyped(form),
      }),
    }),
    ...whereOf(form),
  };
}

function updateDisk(vmId: string, target: string, form: FormData): Input<"update_disk"> {
  const isDrive = form.get("drive") === "yes";
  return {
    vmId,
    target,
    ...filled<Input<"update_disk">>({
      cache: trimmedIn(form, "cache"),
      io: trimmedIn(form, "io"),
      discard: trimmedIn(form, "discard"),
      detectZeroes: trimmedIn(form, "detectZeroes"),
      bootOrder: count(trimmedIn(form, "bootOrder")),
    }),
    // A form about limits alone has no such fields: an empty box is no answer there.
    ...(!isDrive && form.has("serial") && {
      serial: textIn(form, "serial"),
      readOnly: ticked(form, "readOnly"),
      shareable: ticked(form, "shareable"),
    }),
    ...diskLimitsTyped(form),
  };
}

/** `network:default` → `{ network: "default" }`. */
function plugOf(value: string): Pick<Input<"attach_nic">, "network" | "bridge" | "direct" | "user"> {
  const colon = value.indexOf(":");
  const [type, name] = [value.slice(0, colon), value.slice(colon + 1)];
  if (type === "user") return { user: name === "passt" ? "passt" : "slirp" };
  return type === "network" || type === "bridge" || type === "direct" ? { [type]: name } : {};
}

/** The filter a form asks for: the box for anti-spoofing is one. */
function filterOf(form: FormData): string {
  return ticked(form, "antiSpoofing") ? ANTI_SPOOFING : textIn(form, "filter");
}

/** Addresses of a field, separated by blanks or commas. */
function addressesOf(value: string): string[] {
  return value.split(/[\s,]+/).filter(Boolean);
}

/** What a form changes about a card: only what is not as it was, so that nothing is pulled out that stays. */
function updateNic(vmId: string, mac: string, form: FormData): Input<"update_nic"> {
  const changed = (name: string) => {
    const value = trimmedIn(form, name);
    return value === trimmedIn(form, `${name}Was`) ? undefined : value;
  };
  const source = changed("source"), addresses = changed("filterAddresses"), filter = filterOf(form);
  return {
    vmId,
    mac,
    ...(source !== undefined && plugOf(source)),
    ...(filter !== textIn(form, "filterWas") && { filter }),
    ...(addresses !== undefined && { filterAddresses: addressesOf(addresses) }),
    ...filled<Input<"update_nic">>({ model: changed("model"), newMac: changed("newMac") }),
    ...(form.has("linkUp") && { linkUp: form.get("linkUp") === "true" }),
    ...nicLimitsTyped(form),
  };
}

/** Where a change was made, and the fields of it that wait for the next start, as far as its answer tells. */
export type DeviceDone = Partial<DeviceApplied> & {
  readonly waiting?: readonly string[];
  readonly warnings?: readonly ConfigFinding[];
};

type Call = (api: DeviceApi, vmId: string, form: FormData) => Promise<DeviceDone>;

/** What forms on these pages do. */
export const DEVICE_ACTIONS = {
  attach_disk: (api, vmId, form) => api.attachDisk(attachDisk(vmId, form)),
  detach_disk: (api, vmId, form) =>
    api.detachDisk({ vmId, target: trimmedIn(form, "device"), deleteVolume: ticked(form, "deleteVolume") }),
  resize_disk: async (api, vmId, form) => {
    await api.resizeDisk({
      vmId,
      target: trimmedIn(form, "device"),
      sizeGb: count(trimmedIn(form, "sizeGb")) ?? 0,
    });
    return {};
  },
  move_disk: async (api, vmId, form) => {
    await api.moveDisk({
      vmId,
      target: trimmedIn(form, "device"),
      pool: textIn(form, "pool"),
      ...filled<Input<"move_disk">>({ format: trimmedIn(form, "format") }),
      keepSource: ticked(form, "keepSource"),
    });
    return {};
  },
  update_disk: (api, vmId, form) => api.updateDisk(updateDisk(vmId, trimmedIn(form, "device"), form)),
  insert_media: (api, vmId, form) =>
    api.insertMedia({
      vmId,
      target: trimmedIn(form, "device"),
      path: pathIn(form, "medium"),
      force: ticked(form, "force"),
      anyMedium: ticked(form, "anyMedium"),
    }),
  eject_media: (api, vmId, form) =>
    api.ejectMedia({ vmId, target: trimmedIn(form, "device"), force: ticked(form, "force") }),
  attach_nic: (api, vmId, form) =>
    api.attachNic({
      vmId,
      ...plugOf(textIn(form, "source")),
      ...filled<Input<"attach_nic">>({
        model: trimmedIn(form, "model"),
        mac: trimmedIn(form, "newMac"),
        filter: filterOf(form),
      }),
      ...(trimmedIn(form, "filterAddresses") !== "" && {
        filterAddresses: addressesOf(trimmedIn(form, "filterAddresses")),
      }),
      ...nicLimitsTyped(form),
      linkUp: ticked(form, "plugged"),
      ...whereOf(form),
    }),
  attach_share: (api, vmId, form) =>
    api.attachShare({
      vmId,
      folder: textIn(form, "folder"),
      ...filled<Input<"attach_share">>({ tag: trimmedIn(form, "tag") }),
      ...(ticked(form, "readOnly") && { readOnly: true }),
      ...whereOf(form),
    }),
  detach_share: (api, vmId, form) => api.detachShare({ vmId, tag: textIn(form, "device") }),
  detach_nic: (api, vmId, form) => api.detachNic({ vmId, mac: trimmedIn(form, "device") }),
  update_nic: (api, vmId, form) => api.updateNic(updateNic(vmId, trimmedIn(form, "device"), form)),
} as const satisfies Record<string, Call>;
export type DeviceAction = keyof typeof DEVICE_ACTIONS;

/** Whether a text (from a form or a URL) is one of them. */
export function isDeviceAction(value: unknown): value is DeviceAction {
  return typeof value === "string" && Object.hasOwn(DEVICE_ACTIONS, value);
}

/** Carries out what a form asks for. Gives where it was done; nothing is said where that needs no word. */
export function performDevice(
  api: DeviceApi,
  action: DeviceAction,
  vmId: string,
  form: FormData,
): Promise<DeviceDone> {
  return DEVICE_ACTIONS[action](api, vmId, form);
}
