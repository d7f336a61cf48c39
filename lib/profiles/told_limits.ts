/**
 * Limits of tools as one KVM Manager tells them to another, on whose host a call is carried out. The other one knows none of its
 * projects: they are told as the VMs of them that are there. Pure.
 */
import Type, { type Static } from "typebox";
import { ToolPermissions } from "../contract/profiles.ts";
import { closed, oneOf } from "../contract/schema.ts";

/** VMs, and tools of which one must allow a call that is about them. */
const ToldPlace = closed({
  vmIds: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 10_000 }),
  tools: Type.Array(Type.Union([ToolPermissions, Type.Null()]), { minItems: 1, maxItems: 200 }),
  readOnly: Type.Optional(Type.Boolean()),
});
export type ToldPlace = Static<typeof ToldPlace>;

export const ToldLimit = closed({
  tool: Type.String({ minLength: 1, maxLength: 1000, description: "for people" }),
  places: Type.Array(ToldPlace, { maxItems: 1000 }),
  beyond: oneOf(["anything", "named", "reads"], {
    description:
      "what it may do that is about no VM: anything, also with other VMs; or only with the VMs of its " +
      "places, and besides what its permissions name, or what reads",
  }),
});
export type ToldLimit = Static<typeof ToldLimit>;

/** Most limits of one caller. */
export const MOST_TOLD_LIMITS = 100;
