/** Network filters of libvirt: what a VM's card may send and receive. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { NOTHING_IN } from "./schema.ts";

export const NicFilter = Type.Object({
  name: Type.String(),
  uuid: Type.String(),
  includes: Type.Array(Type.String(), { description: "filters it is made of" }),
  parameters: Type.Array(Type.String(), {
    description: "what it can be told for each card, of the filters it includes too: IP, DHCPSERVER, …",
  }),
  rules: Type.Integer({ description: "rules of its own" }),
  xml: Type.String(),
});
export type NicFilter = Static<typeof NicFilter>;

export const filterCommands = {
  list_nic_filters: command({
    summary: "List the network filters a card can have",
    role: "viewer",
    input: NOTHING_IN,
    output: Type.Array(NicFilter),
    errors: ["NotOnThisHost"],
    route: "GET /nic-filters",
    cli: ["network", "filters"],
    columns: ["name", "includes", "parameters", "rules"],
    wide: ["uuid"],
    readOnly: true,
  }),
};
