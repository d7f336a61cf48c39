/** The tools of a project: those of its profile, and its own, which go before them. Pure. */
import { ContractError } from "../contract/errors.ts";
import type { ToolRef, ToolType } from "../contract/profiles.ts";

/** Key of a tool. */
export interface ToolKey {
  readonly tool_type: ToolType;
  readonly name: string;
}

export const isTool = (a: ToolKey, b: ToolKey): boolean => a.tool_type === b.tool_type && a.name === b.name;

/** Text for people: `skill nightly`. */
export const toolText = ({ tool_type, name }: ToolKey): string => `${tool_type} ${name}`;

/** Names composed, and each tool once. @throws {ContractError} InvalidInput */
export function distinctTools(refs: readonly ToolRef[]): ToolRef[] {
  const found: ToolRef[] = [];
  for (const ref of refs) {
    const tool = { ...ref, name: ref.name.normalize("NFC") };
    if (found.some((each) => isTool(each, tool))) {
      const reason = `tool_refs has ${toolText(tool)} twice: leave one out`;
      throw new ContractError("InvalidInput", { reason, field: "tool_refs" });
    }
    found.push(tool);
  }
  return found;
}

/** Tools of a project: a local one takes the place of the profile's. */
export function effectiveTools(ofProfile: readonly ToolRef[], local: readonly ToolRef[]): readonly ToolRef[] {
  return [...ofProfile.filter((ref) => !local.some((own) => isTool(own, ref))), ...local];
}

/** The local tools of a project whose profile is deleted: nothing that its tools may do changes. */
export function convertedTools(ofProfile: readonly ToolRef[], local: readonly ToolRef[]): readonly ToolRef[] {
  return [...local, ...ofProfile.filter((ref) => !local.some((own) => isTool(own, ref)))];
}
