/** Labels of the settings and fields of networks. */
import { networks } from "../i18n/en/networks.ts";
import { fieldTexts } from "../text/field_texts.ts";

export const networkTexts = fieldTexts(networks);
