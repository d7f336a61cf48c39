/** What fields of several forms about devices are called, and what QEMU's and libvirt's words for them mean. */
import { deviceFields } from "../i18n/en/device_fields.ts";
import { fieldTexts } from "./field_texts.ts";

export const deviceTexts = fieldTexts(deviceFields);
