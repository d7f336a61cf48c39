/** The commands on the members of projects: users with a role on one. */
import {
  ContractError,
  type Grant,
  type projectCommands,
  type ProjectMember,
} from "../../lib/contract/mod.ts";
import type { Access } from "../access/mod.ts";
import type { UserRecord } from "../access/records.ts";
import type { Handlers } from "../dispatch.ts";
import type { Projects } from "./projects.ts";

/** As many as one user may have. */
const MOST_GRANTS = 64;

/** Roles that grants give on a project. */
const rolesOn = (grants: readonly Grant[], projectId: string): string[] =>
  grants.flatMap(({ role, on }) => on.kind === "project" && on.project === projectId ? [role] : []);

const isOn = ({ on }: Grant, projectId: string): boolean => on.kind === "project" && on.project === projectId;

const member = ({ id, name, displayName, grants }: UserRecord, projectId: string): ProjectMember => ({
  userId: id,
  name,
  displayName,
  roles: rolesOn(grants, projectId),
});

/** Users with a role on a project, by name. */
export const membersOf = (
  accounts: Pick<Access["accounts"], "users">,
  projectId: string,
): ProjectMember[] =>
  [...accounts.users.values()].map((user) => member(user, projectId)).filter(({ roles }) => roles.length > 0)
    .toSorted((a, b) => a.name.localeCompare(b.name, "en"));

type MemberCommand = Extract<keyof typeof projectCommands, "add_project_member" | "remove_project_member">;

/** A handler for each of them. */
export function memberHandlers(
  { projects, access: { accounts, credentials } }: { readonly projects: Projects; readonly access: Access },
): Pick<Handlers, MemberCommand> {
  return {
    add_project_member: async ({ projectId, userId, role }) => {
      const { id } = projects.require(projectId), { grants } = accounts.user(userId);
      const rest = grants.filter((grant) => !isOn(grant, id));
      const next: Grant[] = [...rest, { role, on: { kind: "project", project: id } }];
      if (next.length > MOST_GRANTS) {
        const reason = `a user has ${MOST_GRANTS} grants at most`;
        throw new ContractError("InvalidInput", { reason, field: "userId" });
      }
      return member(await accounts.update({ userId, grants: next }), id);
    },
    remove_project_member: async ({ projectId, userId }) => {
      const { id, name: project } = projects.require(projectId), { grants, name } = accounts.user(userId);
      if (!grants.some((grant) => isOn(grant, id))) {
        throw new ContractError("NotProjectMember", { user: name, project });
      }
      await accounts.update({ userId, grants: grants.filter((grant) => !isOn(grant, id)) });
      credentials.interrupt([userId]);
      return null;
    },
  };
}
