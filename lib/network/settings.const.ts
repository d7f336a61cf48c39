/** The fields of a new network, and those of its settings that are one value each. */
import { PLAIN_SETTINGS as all } from "../contract/mod.ts";
import { commandFields } from "../text/command_fields.ts";

export const CREATE_NETWORK = commandFields("create_network");
export const PLAIN_SETTINGS = all;
