/** The forms of a project's settings and members: what they show, and what was typed. Pure. */
import type { ProjectDetails } from "../contract/mod.ts";

/** Fields of the settings that the page reads itself: lists in one line, and defaults that are emptied. */
export const LISTS = ["pools", "networks", "images"] as const;
export const DEFAULTS = ["cpuCount", "memoryMb", "diskSizeGb", "network", "tags", "days"] as const;
export const PROJECT_SETTINGS = ["name", "description", ...LISTS, ...DEFAULTS] as const;

/** Text in the forms of settings and members, by field. */
export type ProjectTyped = Readonly<Record<typeof PROJECT_SETTINGS[number] | "userId" | "role", string>>;

/** A project as its forms show it. */
export function projectTyped({ defaults, ...project }: ProjectDetails): ProjectTyped {
  const own = (field: typeof DEFAULTS[number]) =>
    field === "tags" ? defaults.tags?.join(" ") ?? "" : String(defaults[field] ?? "");
  return {
    name: project.name,
    description: project.description,
    userId: "",
    role: "viewer",
    ...Object.fromEntries(LISTS.map((field) => [field, project[field].join(", ")])),
    ...Object.fromEntries(DEFAULTS.map((field) => [field, own(field)])),
  } as ProjectTyped;
}

const words = (text: string, separator: RegExp) =>
  text.split(separator).map((word) => word.trim()).filter((word) => word !== "");

/** Input of `update_project` from what was typed; a text that is no number is refused by the command. */
export function projectSettingsIn(typed: ProjectTyped) {
  const numbers = (["cpuCount", "memoryMb", "diskSizeGb", "days"] as const).flatMap((field) => {
    const text = typed[field].trim();
    return text === "" ? [] : [[field, /^\d+$/.test(text) ? Number(text) : text]];
  });
  const tags = words(typed.tags, /[\s,]+/), network = typed.network.trim();
  return {
    name: typed.name.trim(),
    description: typed.description,
    ...Object.fromEntries(LISTS.map((field) => [field, words(typed[field], /,/)])),
    defaults: {
      ...Object.fromEntries(numbers),
      ...(network !== "" && { network }),
      ...(tags.length > 0 && { tags }),
    },
  };
}
