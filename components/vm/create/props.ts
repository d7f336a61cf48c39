/** Props of every part of the form for a new VM. */
import type { CreateModel } from "../../../lib/client/create_model.ts";
import type { ImageArrival } from "../../../lib/client/image_arrival.ts";
import type { ImageWay, ImageWays } from "../../../lib/client/image_way.ts";
import type { CreateOptions, Image, NewDisk } from "../../../lib/contract/mod.ts";
import { deviceTexts } from "../../../lib/text/device_texts.ts";
import { create } from "../../../lib/i18n/en/create.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { FieldChoice } from "../../kit/Field.tsx";

/** Bounds of a number, from the contract's schema. */
export interface CreateBounds {
  readonly minimum: number;
  readonly maximum: number;
}

export interface CreateProps {
  /** Actions that the user may take on a host that lacks something. */
  allowed: Readonly<Record<"createPool" | "createNetwork" | "startNetwork", boolean>>;
  model: CreateModel;
  options: CreateOptions;
  /** Images that are fetched from this form. */
  arrival: ImageWays;
  /** ISOs and disk images of all pools. */
  images: readonly Image[];
  /** Whether disks that VMs have are among the images, and what changes that. */
  vmDisks: { readonly shown: boolean; readonly show: (shown: boolean) => void };
  /** Projects that it can be put into. */
  projects: readonly { readonly id: string; readonly name: string }[];
  bounds: Readonly<Record<"cpuCount" | "memoryMb" | "diskSizeGb", CreateBounds>>;
}

export const { t, plural } = textsOf(create);

/** A list's first entry, that leaves the choice to the server. @param resolved what that comes to */
export const automatic = (resolved?: string | undefined): FieldChoice => ({
  value: "",
  label: resolved === undefined ? t("create.auto") : t("create.auto_is", { what: resolved }),
});

/** Entries that are shown as they are called. */
export const plainChoices = (names: readonly string[]): FieldChoice[] =>
  names.map((name) => ({ value: name, label: name === "none" ? t("create.none") : name }));

/** Entries for words of QEMU's, as a person reads them. */
export const deviceChoices = (field: string, names: readonly string[]): FieldChoice[] =>
  names.map((name) => ({
    value: name,
    label: name === "none" && field !== "cache" ? t("create.none") : deviceTexts.word(field, name),
  }));

/** An entry for something the host may lack: with the reason, when it does. */
export function choiceOf(
  label: string,
  id: string,
  offered: readonly { id: string; available: boolean; reason?: string }[],
): FieldChoice {
  const offer = offered.find((each) => each.id === id);
  return {
    value: id,
    label,
    unavailable: offer?.available ? undefined : offer?.reason ?? t("create.unavailable"),
  };
}

/** A form's text: nothing for an empty one. */
export const undefinedIfEmpty = (text: string): string | undefined => text === "" ? undefined : text;

/** A number as it was typed; NaN for what is none, so that the server can say so. Nothing for an empty field. */
export const typedNumber = (text: string): number | undefined =>
  text.trim() === "" ? undefined : Number(text);

/** One of a list's words as the contract's type; undefined for the empty entry. */
export const word = <T extends string>(value: string): T | undefined =>
  undefinedIfEmpty(value) as T | undefined;

/** A disk with a field changed; `undefined` takes it away. */
export function changed(disk: NewDisk, field: keyof NewDisk, value: NewDisk[keyof NewDisk]): NewDisk {
  const { [field]: _, ...rest } = disk;
  return value === undefined ? rest : { ...rest, [field]: value };
}

/** Text on a choice that is missing or in progress; undefined if none is missing, or before the first try. */
export function missingText({ model, arrival }: Pick<CreateProps, "model" | "arrival">): string | undefined {
  const missing = model.missing.value;
  if (missing === undefined) return undefined;
  if (arrival.isBusy.value) return t("create.image_coming");
  return t(missing === "iso" ? "create.iso_missing" : "create.image_missing");
}

/** Pools that images can be put into, the usual one first. */
export function imagePools({ pool: usual, pools }: CreateProps["options"]): string[] {
  return pools.filter(({ active, formats }) => active && formats.includes("qcow2")).map(({ name }) => name)
    .sort((a, b) => Number(b === usual) - Number(a === usual));
}

/** CPU model → what people call it. */
export const CPU_MODE_TEXTS = {
  "host-passthrough": "create.cpu_host",
  "host-model": "create.cpu_host_model",
  maximum: "create.cpu_maximum",
  default: "create.cpu_default",
  custom: "create.cpu_custom",
} as const;

/** Labels of the buttons that open a way to get an image. */
export const OPEN_TEXT = {
  catalog: "create.get_catalog",
  url: "create.get_url",
  upload: "create.get_upload",
} as const satisfies Record<ImageWay, string>;

/** Ways by which an image comes, and what they have to do with. */
export interface ImageWayProps extends Pick<CreateProps, "options" | "images" | "allowed"> {
  readonly arrival: ImageArrival;
  /** The catalogue has disk images alone. */
  readonly ways: readonly ImageWay[];
}
