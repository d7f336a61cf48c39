/** A VM as rights depend on it, without its host. Pure. */
import type { VM } from "../contract/mod.ts";

/** Object of a VM that pages check rights on: the host is that of the page. */
export const vmObjectOf = ({ id, group, project }: Pick<VM, "id" | "group" | "project">) => ({
  vmId: id,
  group,
  project: project?.id,
});
