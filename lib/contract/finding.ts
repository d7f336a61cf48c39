/** Findings about a configuration. */
import Type, { type Static } from "typebox";
import { SentenceText } from "./schema.ts";

export const ConfigFinding = Type.Object({
  field: Type.String({ description: "disks.0.sizeGb; empty for the whole" }),
  code: Type.String(),
  message: SentenceText(),
});
export type ConfigFinding = Static<typeof ConfigFinding>;
