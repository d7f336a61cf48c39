/** Labels of fields of several forms about devices, and meanings of QEMU's and libvirt's words for them. */
import { deviceFields } from "../i18n/en/device_fields.ts";
import { fieldTexts } from "./field_texts.ts";

export const deviceTexts = fieldTexts(deviceFields);
