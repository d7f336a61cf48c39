/** The commands on profiles: the seed's, by its names. */
import { needOf } from "../../lib/access/permissions.ts";
import { may, type Rights } from "../../lib/access/rights.ts";
import {
  ContractError,
  detailOf,
  MOST_PROFILES,
  type profileCommands,
  type ProfileDetails,
  type ProfileSummary,
  type ToolRef,
} from "../../lib/contract/mod.ts";
import { readProfile, readProfileHead, writtenProfile } from "../../lib/profiles/file.ts";
import { profileName } from "../../lib/profiles/name.ts";
import { convertedTools, distinctTools } from "../../lib/profiles/tools.ts";
import type { Clock } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import { readProfileFile, writeProfileFile } from "./files.ts";
import type { ProjectToolCommand } from "./project_tool_handlers.ts";
import { orDatabaseError, type ProfileRecords, type StoredProfile } from "./records.ts";

/** A project, as profiles need it. */
export interface ProjectOf {
  readonly id: string;
  readonly name: string;
}

/** Services for the commands on profiles: their records, look-up of projects, and the clock. */
export interface ProfileServices {
  readonly records: ProfileRecords;
  /** @throws {ContractError} ProjectNotFound, StoreUnavailable */
  readonly requireProject: (project: string) => ProjectOf;
  readonly project: (projectId: string) => ProjectOf | undefined;
  readonly clock: Clock;
}

export const iso = (ms: number) => new Date(ms).toISOString();
export const copied = (refs: readonly ToolRef[]): ToolRef[] => structuredClone([...refs]);

/** A handler for each of them. */
export function profileHandlers(
  { records, project, clock }: ProfileServices,
): Pick<Handlers, Exclude<keyof typeof profileCommands, ProjectToolCommand>> {
  const { profiles, projects } = records;
  /** Projects that have a profile, those that there still are. */
  const projectsOf = (profileId: string): ProjectOf[] =>
    records.projectsOf(profileId).flatMap(({ id }) => project(id) ?? []);
  const summary = (each: StoredProfile): ProfileSummary => ({
    id: each.id,
    name: each.name,
    description: each.description,
    tool_count: each.tool_refs.length,
    project_count: projectsOf(each.id).length,
    created_at: iso(each.createdAt),
    updated_at: iso(each.updatedAt),
  });
  /** @param rights of who asks: projects out of sight are left out */
  const details = (each: StoredProfile, rights: Rights): ProfileDetails => ({
    id: each.id,
    name: each.name,
    description: each.description,
    tool_refs: copied(each.tool_refs),
    assigned_projects: projectsOf(each.id).filter(({ id }) =>
      may(rights, needOf("get_project").permission, { projectId: id })
    ).map(({ id, name }) => ({
      id,
      name,
      path: `/projects/${encodeURIComponent(id)}`,
    })).toSorted((a, b) => a.name.localeCompare(b.name, "en")),
    created_at: iso(each.createdAt),
    updated_at: iso(each.updatedAt),
  });
  /** Whether another profile has a name. Commands take a profile by its id or its name. */
  const isTaken = (name: string, but?: string) =>
    profiles.all().some((each) => each.id !== but && (each.name === name || each.id === name));
  /** @throws {ContractError} ProfileNameExists */
  const requireFree = (name: string, but?: string) => {
    if (isTaken(name, but)) throw new ContractError("ProfileNameExists", { name });
  };
  const create = (name: string, description: string | null, tool_refs: readonly ToolRef[]): StoredProfile => {
    if (profiles.all().length >= MOST_PROFILES) {
      throw new ContractError("TooManyProfiles", { limit: MOST_PROFILES });
    }
    const now = clock.now(), id = crypto.randomUUID();
    const made = { id, name, description, tool_refs, createdAt: now, updatedAt: now };
    records.change(() => [profiles.putting(made)]);
    return made;
  };
  return {
    create_profile: ({ name: typed, description = null }) => {
      const name = profileName(typed);
      orDatabaseError(() => profiles.require());
      requireFree(name);
      return summary(create(name, description, []));
    },
    get_profile: ({ id }, { principal: { rights } }) => details(records.profile(id), rights),
    list_profiles: () =>
      orDatabaseError(() => profiles.require()).all().toSorted((a, b) => a.name.localeCompare(b.name, "en"))
        .map(summary),
    update_profile: ({ id, name: typed, description, tool_refs }) => {
      const before = records.profile(id);
      const name = typed === undefined ? before.name : profileName(typed);
      if (name !== before.name) requireFree(name, before.id);
      const now = clock.now();
      const next: StoredProfile = {
        ...before,
        name,
        updatedAt: now,
        ...(description !== undefined && { description }),
        ...(tool_refs !== undefined && { tool_refs: distinctTools(tool_refs) }),
      };
      records.change(() => [profiles.putting(next)]);
      const profile = summary(next);
      return {
        profile,
        sync_result: { affected_projects: profile.project_count, synced_at: iso(now) },
      };
    },
    delete_profile: ({ id: wanted }) => {
      const { id, tool_refs } = records.profile(wanted);
      const assigned = records.projectsOf(id).filter((each) => project(each.id) !== undefined);
      const next = assigned.map(({ id, local }) => ({
        id,
        profile: null,
        local: convertedTools(tool_refs, local),
      }));
      const converted = next.filter(({ local }, at) => local.length > assigned[at]!.local.length).length;
      records.change(() => [...next.map((row) => projects.putting(row)), profiles.removing(id)]);
      return { deleted: true, converted_projects: converted };
    },
    export_profile: async ({ profile_id, output_path }) => {
      const profile = records.profile(profile_id), now = clock.now();
      const size_bytes = await writeProfileFile(output_path, writtenProfile(profile, now));
      return { path: output_path, size_bytes, exported_at: iso(now) };
    },
    import_profile: async ({ input_path, rename_to }) => {
      const file = readProfile(await readProfileFile(input_path));
      const own = profileName(file.name), tools = distinctImported(file.tool_refs);
      orDatabaseError(() => profiles.require());
      const name = rename_to === undefined ? own : profileName(rename_to), collides = isTaken(own);
      if (isTaken(name)) throw new ContractError("NameCollision", { name });
      const profile = summary(create(name, file.description, tools));
      return { profile, imported_from: input_path, collision_resolved: collides && name !== own };
    },
    preview_import: async ({ input_path }) => {
      const { name, ...head } = readProfileHead(await readProfileFile(input_path));
      orDatabaseError(() => profiles.require());
      const existing = records.named(name.normalize("NFC"));
      return {
        name,
        ...head,
        has_name_collision: existing !== undefined,
        existing_profile_id: existing?.id ?? null,
      };
    },
  };
}

/** @throws {ContractError} InvalidFormat for a file that has a tool twice */
function distinctImported(refs: readonly ToolRef[]): ToolRef[] {
  try {
    return distinctTools(refs);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new ContractError("InvalidFormat", { reason: detailOf(error, "reason") }, { cause: error });
  }
}
