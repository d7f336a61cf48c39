/** What the settings and fields of networks are called. */
import { networks } from "../i18n/en/networks.ts";
import { fieldTexts } from "../text/field_texts.ts";

export const networkTexts = fieldTexts(networks);
