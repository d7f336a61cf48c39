/** Labels of the fields of network interfaces, for all forms and lists. */
import { deviceFields } from "../i18n/en/device_fields.ts";
import { deviceLimits } from "../i18n/en/device_limits.ts";
import { nicFields } from "../i18n/en/nic_fields.ts";
import { fieldTexts } from "./field_texts.ts";

export const nicTexts = fieldTexts(deviceFields, nicFields, deviceLimits);
