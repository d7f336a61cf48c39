/** The forms that import VMs of other hypervisors, as the commands' input. Pure; the server checks it all. */
import { DISK_BUSES, DISK_FORMATS, FIRMWARES, NIC_MODELS, OS_TYPES } from "../contract/choices.ts";
import {
  FOREIGN_KINDS,
  FOREIGN_SERVERS,
  type ForeignDiskChoice,
  type ForeignKind,
  type ForeignNicPlace,
} from "../contract/foreign.ts";
import type { Input } from "../contract/mod.ts";
import { enteredIn, givenIn, textIn } from "../text/form_fields.ts";
import { nicPlaceOf } from "./ova_form.ts";

/** Source of a VM, from the page's address or its form. */
export type ForeignAsked = Omit<Input<"inspect_foreign_vm">, "kind"> & { readonly kind: ForeignKind };

/** Whether it is a server that is signed in to. */
export const isOnServer = ({ kind }: Pick<ForeignAsked, "kind">): boolean =>
  FOREIGN_SERVERS.some((each) => each === kind);

/** Value of a disk's field when the VM does not get it. */
export const DISK_LEFT_OUT = "none";

const oneOf = <T extends string>(words: readonly T[], text: string) => words.find((word) => word === text);
const numberIn = (form: FormData, name: string) => {
  const text = givenIn(form, name);
  return text === undefined ? undefined : Number(text);
};
/** An object without the fields that say nothing. */
function said<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** The fields that say where a VM comes from, by their names. */
type Fields = (name: string) => string | undefined;

/** Source of a VM; undefined without a kind or a place. */
function askedBy(value: Fields): ForeignAsked | undefined {
  const kind = oneOf(FOREIGN_KINDS, value("kind") ?? ""), origin = value("origin");
  if (kind === undefined || origin === undefined) return undefined;
  const generation = value("generation");
  const moreDisks = value("moreDisks")?.split(/[\r\n]+/).map((name) => name.trim()).filter((name) =>
    name !== ""
  );
  return said<ForeignAsked>({
    kind,
    origin,
    vm: value("vm"),
    definition: value("definition"),
    generation: generation === undefined ? undefined : Number(generation),
    osType: oneOf(OS_TYPES, value("osType") ?? ""),
    moreDisks: moreDisks?.length ? moreDisks : undefined,
    username: value("username"),
    password: value("password"),
    certificate: value("certificate"),
    hostKey: value("hostKey"),
  });
}

/** Fields that are in no address: long and secret ones, and those that a person has compared. */
const OUT_OF_ADDRESSES: ReadonlySet<string> = new Set(["definition", "password", "certificate", "hostKey"]);

/** As the page's address says. */
export const askedInAddress = (params: URLSearchParams): ForeignAsked | undefined =>
  askedBy((name) => OUT_OF_ADDRESSES.has(name) ? undefined : params.get(name) || undefined);

/** As the form says: a file that was chosen counts, else the text. */
export async function askedInForm(form: FormData): Promise<ForeignAsked | undefined> {
  const file = form.get("definitionFile");
  const text = file instanceof File && file.size > 0 ? await file.text() : enteredIn(form, "definition");
  return askedBy((name) => name === "definition" ? text : enteredIn(form, name));
}

/** The address of the page that shows what a VM becomes; of one whose definition was sent along there is none. */
export function askedHref(
  { kind, origin, vm, generation, osType, moreDisks, username }: ForeignAsked,
): string {
  const fields = said<Record<string, string>>({
    kind,
    origin,
    vm,
    generation: generation?.toString(),
    osType,
    moreDisks: moreDisks?.join("\n"),
    username,
  });
  return `/vms/import-from?${new URLSearchParams(fields)}`;
}

/** Entries of a list in a form, by the names of its fields: `disk0`, `disk1`, … */
const listed = <T>(form: FormData, name: string, most: number, read: (at: number) => T): T[] => {
  const found: T[] = [];
  for (let at = 0; form.has(`${name}${at}`) && at < most; at++) found.push(read(at));
  return found;
};

/** Input of the import. */
export function importForeignInput(form: FormData, asked: ForeignAsked): Input<"import_foreign_vm"> {
  const disks = listed(form, "disk", 24, (at): ForeignDiskChoice => {
    const text = textIn(form, `disk${at}`), bus = oneOf(DISK_BUSES, text);
    return text === DISK_LEFT_OUT ? { leaveOut: true } : bus === undefined ? {} : { bus };
  });
  const nics = listed(form, "nic", 16, (at): ForeignNicPlace => {
    const model = oneOf(NIC_MODELS, textIn(form, `model${at}`)), place = nicPlaceOf(textIn(form, `nic${at}`));
    return { ...place, ...(model !== undefined && !place.leaveOut && { model }) };
  });
  const isTicked = (name: string) => form.get(name) === "yes";
  return {
    ...asked,
    ...said<Partial<Input<"import_foreign_vm">>>({
      name: enteredIn(form, "name"),
      targetPool: enteredIn(form, "targetPool"),
      diskFormat: oneOf(DISK_FORMATS, textIn(form, "diskFormat")),
      cpuCount: numberIn(form, "cpuCount"),
      memoryMb: numberIn(form, "memoryMb"),
      firmware: oneOf(FIRMWARES, textIn(form, "firmware")),
      tpm: form.has("tpm") ? textIn(form, "tpm") === "yes" : undefined,
      disks: disks.length > 0 ? disks : undefined,
      nics: nics.length > 0 ? nics : undefined,
      verify: isTicked("verify") || undefined,
      allowUnclean: isTicked("allowUnclean") || undefined,
    }),
    keepMacs: isTicked("keepMacs"),
  };
}
