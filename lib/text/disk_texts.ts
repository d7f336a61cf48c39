/** Labels of the fields of disks, drives and shared folders, for all forms and lists. */
import { deviceFields } from "../i18n/en/device_fields.ts";
import { deviceLimits } from "../i18n/en/device_limits.ts";
import { diskFields } from "../i18n/en/disk_fields.ts";
import { fieldTexts } from "./field_texts.ts";

export const diskTexts = fieldTexts(deviceFields, diskFields, deviceLimits);
