/** The fields of a new port forward. */
import { commandFields } from "../../text/command_fields.ts";

export const ADD_FORWARD = commandFields("add_port_forward");
