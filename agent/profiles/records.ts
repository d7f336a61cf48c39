/** Profiles, the tools of projects, and the definitions of tools, as they are kept. */
import type { HookEvent, SkillStep, ToolRef, ToolType } from "../../lib/contract/mod.ts";
import { ContractError, detailOf } from "../../lib/contract/errors.ts";
import { isTool, type ToolKey } from "../../lib/profiles/tools.ts";
import { SEALED } from "../sealing/places.ts";
import type { Unread } from "../sealing/sealed_values.ts";
import { changeTogether, JsonRows, jsonTable, type RowChange } from "../store/json_rows.ts";
import type { Store } from "../store/store.ts";

export const PROFILE_MIGRATIONS = [
  jsonTable("profiles", "a profile with its tools"),
  jsonTable("project_tools", "profile and local tools of a project; the id is the project's"),
  jsonTable("tools", "the definition of a tool; its secrets are sealed"),
];

export interface StoredProfile {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly tool_refs: readonly ToolRef[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface StoredProjectTools {
  /** Of the project. */
  readonly id: string;
  /** Id of its profile; null for none. */
  readonly profile: string | null;
  readonly local: readonly ToolRef[];
}

export interface StoredTool extends ToolKey {
  readonly id: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly parameters: readonly string[];
  readonly steps: readonly SkillStep[];
  /** Id of the user that an agent is. */
  readonly account?: string;
  readonly event?: HookEvent;
  readonly state?: string;
  readonly url?: string;
  readonly secret?: string;
  readonly privateAddresses: boolean;
  readonly program?: string;
  readonly arguments: readonly string[];
  /** Those of its secrets that cannot be read now. */
  readonly unread?: Unread;
}

/** Tells a definition from the others. A name has no line end. */
export const toolId = (tool_type: ToolType, name: string): string => `${tool_type}\n${name}`;

/** A change with the seed's error for what cannot be kept. @throws {ContractError} DatabaseError */
export function orDatabaseError<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ContractError) || error.code !== "StoreUnavailable") throw error;
    throw new ContractError("DatabaseError", { reason: detailOf(error, "reason") }, {
      cause: error,
    });
  }
}

export class ProfileRecords {
  readonly profiles: JsonRows<StoredProfile>;
  readonly projects: JsonRows<StoredProjectTools>;
  readonly tools: JsonRows<StoredTool>;

  #onChanged = (): void => {};

  constructor(private readonly store: Store) {
    this.profiles = new JsonRows<StoredProfile>(store, "profiles");
    this.projects = new JsonRows<StoredProjectTools>(store, "project_tools");
    this.tools = new JsonRows<StoredTool>(store, "tools", () => this.#onChanged(), SEALED.tools);
  }

  /** Tells at once, and whenever they were read or are others: an open database was read before anybody could be told. */
  follow(onChanged: () => void): void {
    this.#onChanged = onChanged;
    onChanged();
  }

  /** Makes changes as one step. @throws {ContractError} DatabaseError; then nothing is changed */
  change(changes: () => readonly RowChange[]): void {
    orDatabaseError(() => changeTogether(this.store, changes()));
    this.#onChanged();
  }

  /** @throws {ContractError} ProfileNotFound, DatabaseError */
  profile(id: string): StoredProfile {
    const rows = orDatabaseError(() => this.profiles.require());
    const found = rows.get(id) ?? rows.all().find(({ name }) => name === id);
    if (found === undefined) throw new ContractError("ProfileNotFound", { profile_id: id.slice(0, 64) });
    return found;
  }

  named(name: string): StoredProfile | undefined {
    return this.profiles.all().find((each) => each.name === name);
  }

  /** Profile and tools of a project; none for one without a record. */
  toolsOf(projectId: string): StoredProjectTools {
    return this.projects.get(projectId) ?? { id: projectId, profile: null, local: [] };
  }

  /** Those that have a profile. */
  projectsOf(profileId: string): StoredProjectTools[] {
    return this.projects.all().filter(({ profile }) => profile === profileId);
  }

  tool(tool_type: ToolType, name: string): StoredTool | undefined {
    return this.tools.get(toolId(tool_type, name.normalize("NFC")));
  }

  /** Tools of a profile. */
  refsOf(profileId: string | null): readonly ToolRef[] {
    return profileId === null ? [] : this.profiles.get(profileId)?.tool_refs ?? [];
  }

  /** Whether a project has a tool, by its profile or as its own. */
  has(projectId: string, tool: ToolKey): boolean {
    const { profile, local } = this.toolsOf(projectId);
    return [...this.refsOf(profile), ...local].some((ref) => isTool(ref, tool));
  }
}
