/** The forms of a VM's hardware: what they offer, and what they ask for, with script and without. Pure. */
import { errorField } from "../text/error_field.ts";
import type { Hardware, HardwareChange, PendingChange, UpdateVmResult, VM } from "../contract/mod.ts";
import { failureOf } from "../text/failure.ts";
import { textIn, trimmedIn } from "../text/form_fields.ts";
import { parseTags } from "./tags.ts";

/** Forms of the page, in their order. */
export const SECTIONS = ["cpu", "memory", "boot", "firmware", "devices", "general"] as const;
/** One of {@link SECTIONS}. */
export type HardwareSectionName = typeof SECTIONS[number];

/** Whether a text from a form is a section's name. */
export function isSection(text: unknown): text is HardwareSectionName {
  return SECTIONS.some((each) => each === text);
}

/** Bounds from the contract's schemas, which are too heavy for a page. */
export interface Bounds {
  readonly maxCpus: number;
  readonly minMemoryMb: number;
  readonly maxMemoryMb: number;
  readonly longestTitle: number;
  readonly longestDescription: number;
  readonly cpuModes: readonly string[];
  readonly firmwares: readonly string[];
  readonly videos: readonly string[];
  readonly sounds: readonly string[];
  readonly watchdogs: readonly string[];
  readonly watchdogActions: readonly string[];
}

/** The TPMs that are offered: `model version`. */
export const TPMS = ["tpm-crb 2.0", "tpm-tis 2.0", "tpm-tis 1.2"] as const;

/** Orders of kinds of devices worth offering. */
export const KIND_ORDERS = [
  "hd",
  "cdrom,hd",
  "hd,cdrom",
  "hd,network",
  "network,hd",
  "cdrom,hd,network",
  "network,cdrom,hd",
] as const;

/** Outcome of a form, or of all of them together. */
export interface HardwareFormOutcome {
  readonly section: HardwareSectionName | "pending" | "all";
  readonly result?: Omit<UpdateVmResult, "applied"> & { readonly applied: number };
  readonly failure?: {
    readonly why: string;
    readonly advice?: string;
    /** The field that is wrong: `cpu.count`. */
    readonly field?: string;
  };
  /** Entered values of a refused form, to be shown again: for pages without a script to keep them. */
  readonly typed?: Readonly<Record<string, string>>;
}

/** Something a form said that is none of what its field takes. */
export class FormError extends Error {
  override readonly name = "FormError";
  constructor(message: string, readonly field: string) {
    super(message);
  }
}

/** A whole number, or NaN's like as they are: the server says what is wrong with them. */
function whole(form: FormData, name: string): number | undefined {
  const value = trimmedIn(form, name);
  return value === "" ? undefined : Number(value);
}

/** The value if it has changed; undefined without a change. */
function changed<T>(value: T | undefined, before: T): T | undefined {
  return value === undefined || JSON.stringify(value) === JSON.stringify(before) ? undefined : value;
}

/** `0: 0-1` a line → pins. */
function parsePins(
  lines: string,
  message: string,
): NonNullable<NonNullable<HardwareChange["cpu"]>["pinning"]> {
  return lines.split(/[\n;]/).map((line) => line.trim()).filter((line) => line !== "").map((line) => {
    const found = /^(\d+)\s*[:=]\s*([\d,\s-]+)$/.exec(line);
    if (!found) throw new FormError(message, "cpu.pinning");
    return { vcpu: Number(found[1]), cpus: found[2]!.replaceAll(/\s/g, "") };
  });
}

/** Pins as the form's lines. */
export function pinLines(pinning: Hardware["cpu"]["pinning"]): string {
  return pinning.map(({ vcpu, cpus }) => `${vcpu}: ${cpus}`).join("\n");
}

type Topology = NonNullable<HardwareChange["cpu"]>["topology"];

function topologyOf(form: FormData): Topology {
  const [sockets, cores, threads] = ["sockets", "cores", "threads"].map((name) => whole(form, name));
  if (sockets === undefined && cores === undefined && threads === undefined) return null;
  return { sockets: sockets ?? 1, cores: cores ?? 1, threads: threads ?? 1 };
}

/** Leaves out what is undefined; undefined when nothing is left. */
function some<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } | undefined {
  const left = Object.entries(fields).filter(([, value]) => value !== undefined);
  return left.length === 0
    ? undefined
    : Object.fromEntries(left) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** Texts for what a form cannot send. */
export interface FormTexts {
  readonly pins: string;
}

/** Type of a requested value as the contract has it; the server checks the value. */
type Given<T> = T;

type Reader = (
  form: FormData,
  before: Hardware,
  vm: Pick<VM, "autostart" | "tags">,
  texts: FormTexts,
) => HardwareChange;

/** Section → what its form asks for. */
const READERS: Readonly<Record<HardwareSectionName, Reader>> = {
  cpu: (form, { cpu }, _vm, texts) => {
    const mode = trimmedIn(form, "mode") as Given<typeof cpu.mode>;
    const model = mode === "custom" ? trimmedIn(form, "model") : undefined;
    const isSame = mode === cpu.mode && (model ?? null) === cpu.model;
    return all({
      cpu: some({
        count: changed(whole(form, "count"), cpu.count),
        max: changed(whole(form, "max"), cpu.max),
        mode: isSame ? undefined : mode,
        model: isSame ? undefined : model,
        topology: changed(topologyOf(form), cpu.topology),
        pinning: changed(parsePins(trimmedIn(form, "pinning"), texts.pins), cpu.pinning),
      }),
    });
  },
  memory: (form, { memory }) =>
    all({
      memory: some({
        currentMb: changed(whole(form, "currentMb"), memory.currentMb),
        maxMb: changed(whole(form, "maxMb"), memory.maxMb),
      }),
    }),
  boot: (form, { boot }) => {
    const bySingle = trimmedIn(form, "by") === "order";
    const order = boot.candidates.map(({ id }) => ({ id, place: Number(form.get(`place ${id}`)) }))
      .filter(({ place }) => place > 0).sort((a, b) => a.place - b.place).map(({ id }) => id);
    const kinds = trimmedIn(form, "devices").split(",").filter((each) => each !== "");
    return all({
      boot: some({
        order: bySingle ? changed(order, boot.order) : undefined,
        devices: bySingle
          ? undefined
          : changed(kinds as ("hd" | "cdrom" | "network" | "fd")[], boot.devices as never),
        menu: changed(form.get("menu") === "yes", boot.menu),
      }),
    });
  },
  firmware: (form, before) => {
    const [model, version] = trimmedIn(form, "tpm").split(" ");
    const tpm = model === "" ? null : { model, version } as NonNullable<HardwareChange["tpm"]>;
    const had = before.tpm && { model: before.tpm.model, version: before.tpm.version };
    return all({
      firmware: changed(trimmedIn(form, "firmware") as Hardware["firmware"], before.firmware),
      tpm: trimmedIn(form, "tpm") === "keep" ? undefined : changed(tpm, had as typeof tpm),
    });
  },
  devices: (form, before) => {
    const model = trimmedIn(form, "watchdog");
    const action = trimmedIn(form, "watchdogAction");
    return all({
      video: changed(trimmedIn(form, "video") || undefined, before.video ?? "") as HardwareChange["video"],
      sound: changed(trimmedIn(form, "sound") || null, before.sound) as HardwareChange["sound"],
      watchdog: changed(
        model === "" ? null : { model, action },
        before.watchdog,
      ) as HardwareChange["watchdog"],
      rng: changed(form.get("rng") === "yes", before.rng),
    });
  },
  general: (form, before, vm) =>
    all({
      title: changed(textIn(form, "title"), before.title),
      description: changed(
        String(form.get("description") ?? "").replaceAll(/\r\n?/g, "\n"),
        before.description,
      ),
      autostart: changed(form.get("autostart") === "yes", vm.autostart),
      tags: changed(parseTags(trimmedIn(form, "tags")), vm.tags),
    }),
};

/** Leaves out what is undefined. */
function all(change: { [K in keyof HardwareChange]: HardwareChange[K] | undefined }): HardwareChange {
  return some(change) as HardwareChange | undefined ?? {};
}

/**
 * Change that a form requests: only the changed fields.
 *
 * @throws {FormError} naming the field, for values that cannot be sent at all
 */
export function changeOf(
  section: HardwareSectionName,
  form: FormData,
  before: Hardware,
  vm: Pick<VM, "autostart" | "tags">,
  texts: FormTexts,
): HardwareChange {
  return READERS[section](form, before, vm, texts);
}

/** How a form asks for its change to be made. */
export function updateOptionsOf(form: FormData): { nextBootOnly: boolean; allowOvercommit?: true } {
  return {
    nextBootOnly: form.get("nextBootOnly") === "yes",
    ...(form.get("allowOvercommit") === "yes" && { allowOvercommit: true }),
  };
}

/** Outcome of a form that was accepted. */
export function succeeded(
  section: HardwareFormOutcome["section"],
  result: UpdateVmResult,
): HardwareFormOutcome {
  return { section, result: { ...result, applied: result.applied.length } };
}

/** Outcome of a form that was refused, at the field that the error names. */
export function failedWith(section: HardwareFormOutcome["section"], error: unknown): HardwareFormOutcome {
  if (error instanceof FormError) return { section, failure: { why: error.message, field: error.field } };
  const { why, advice } = failureOf(error);
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const field = errorField((cause ?? {}) as Parameters<typeof errorField>[0]);
  return {
    section,
    failure: { why, ...(advice !== undefined && { advice }), ...(field !== undefined && { field }) },
  };
}

/** Pending changes by their field, to be shown next to it. */
export function pendingByField(pending: readonly PendingChange[]): ReadonlyMap<string, PendingChange> {
  return new Map(pending.map((each) => [each.what, each]));
}
