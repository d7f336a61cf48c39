/** What the fields of disks and network interfaces are called, for all forms and lists. */
import { deviceFields } from "../i18n/en/device_fields.ts";
import { deviceLimits } from "../i18n/en/device_limits.ts";
import { fieldTexts } from "./field_texts.ts";

export const deviceTexts = fieldTexts(deviceFields, deviceLimits);
