/** The fields of the commands that are forms about a VM's network cards. */
import { commandFields } from "../../../lib/text/command_fields.ts";

export const ATTACH_NIC = commandFields("attach_nic");
export const UPDATE_NIC = commandFields("update_nic");

/** The commands whose forms set how a card works. */
export type NicCommand = "attach_nic" | "update_nic";
