/** The forms that import and export archives, as the commands' input. Pure; the server checks it all. */
import { DISK_BUSES, DISK_FORMATS, FIRMWARES } from "../contract/choices.ts";
import type { Input, NicPlace } from "../contract/mod.ts";
import { enteredIn, givenIn, textIn } from "../text/form_fields.ts";

const NETWORK = "network:", BRIDGE = "bridge:";

/** Value of a card's field when the VM does not get it. */
export const LEFT_OUT = "none";
/** Value of a card's field for a network, or for a bridge of the host. */
export const placeValue = ({ network, bridge }: NicPlace): string =>
  bridge !== undefined ? BRIDGE + bridge : network !== undefined ? NETWORK + network : LEFT_OUT;

/** Connection of a card, from its field. */
export function nicPlaceOf(value: string): NicPlace {
  if (value.startsWith(NETWORK)) return { network: value.slice(NETWORK.length) };
  if (value.startsWith(BRIDGE)) return { bridge: value.slice(BRIDGE.length) };
  return { leaveOut: true };
}

const oneOf = <T extends string>(words: readonly T[], text: string) => words.find((word) => word === text);
const numberIn = (form: FormData, name: string) => {
  const text = givenIn(form, name);
  return text === undefined ? undefined : Number(text);
};

/** Input of the import. */
export function importOvaInput(
  form: FormData,
  archive: { readonly pool: string; readonly volume: string; readonly withoutDisks?: boolean },
): Input<"import_ova"> {
  const nics: NicPlace[] = [];
  for (let at = 0; form.has(`nic${at}`) && at < 16; at++) nics.push(nicPlaceOf(textIn(form, `nic${at}`)));
  const given = {
    name: enteredIn(form, "name"),
    targetPool: enteredIn(form, "targetPool"),
    diskFormat: oneOf(DISK_FORMATS, textIn(form, "diskFormat")),
    diskBus: oneOf(DISK_BUSES, textIn(form, "diskBus")),
    cpuCount: numberIn(form, "cpuCount"),
    memoryMb: numberIn(form, "memoryMb"),
    firmware: oneOf(FIRMWARES, textIn(form, "firmware")),
    nics: nics.length > 0 ? nics : undefined,
    keepMacs: form.get("keepMacs") === "yes" ? true : undefined,
  };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...archive, ...said };
}

/** Input of the export. */
export function exportOvaInput(form: FormData, vmId: string): Input<"export_ova"> {
  const pool = enteredIn(form, "pool"), volume = enteredIn(form, "volume");
  return { vmId, ...(pool !== undefined && { pool }), ...(volume !== undefined && { volume }) };
}
