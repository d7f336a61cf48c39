/** The settings of a network that are one attribute of one element each. Source: "Network XML format". Pure. */
import { type NetworkSettings, PLAIN_SETTINGS, type PlainSetting } from "../../contract/networks.ts";
import { xml, type XmlNode } from "./build.ts";
import { child, type XmlElement } from "./tree.ts";

/** Setting → its element, and the attribute with its value. */
const PLACES: Readonly<Record<PlainSetting, readonly [element: string, attribute: string]>> = {
  mtu: ["mtu", "size"],
  isolatedPorts: ["port", "isolated"],
};

type Value = NonNullable<NetworkSettings[PlainSetting]>;

/** The settings that a network has: numbers, and switches that are on. */
export function plainSettingsOf(root: XmlElement): Partial<Pick<NetworkSettings, PlainSetting>> {
  return Object.fromEntries(PLAIN_SETTINGS.flatMap((setting): [PlainSetting, Value][] => {
    const [element, attribute] = PLACES[setting], text = child(root, element)?.attributes[attribute] ?? "";
    if (/^\d+$/.test(text)) return [[setting, Number(text) as Value]];
    return text === "yes" ? [[setting, true]] : [];
  }));
}

/** The element of a setting; undefined where there is nothing to say. */
export function plainSettingXml(setting: PlainSetting, value: Value | null | undefined): XmlNode | undefined {
  const [element, attribute] = PLACES[setting];
  return isSet(value) ? xml(element, { [attribute]: value }) : undefined;
}

/** The name of a setting's element. */
export const plainElement = (setting: PlainSetting): string => PLACES[setting][0];

/** Whether a value says something: a switch that is off is none. */
export const isSet = <V>(value: V): value is Exclude<V, null | undefined | false> =>
  value !== undefined && value !== null && (value as unknown) !== false;
