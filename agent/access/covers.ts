/** Grants on VMs and groups: what they hold for. */
import type { Grant } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { Cover, CoverTargets } from "../../lib/coverage/coverage.ts";
import type { Coverage } from "../coverage/coverage.ts";
import type { Access } from "./mod.ts";
import type { TokenRecord } from "./records.ts";

/** VMs that grants are on, by id or group; nothing of those on everything. */
export const targetsOfGrants = (grants: readonly Grant[]): CoverTargets => ({
  vmIds: grants.flatMap(({ on }) => on.kind === "vm" ? [on.vmId] : []),
  tags: [],
  groups: grants.flatMap(({ on }) => on.kind === "group" ? [on.group] : []),
});

const tokensOf = ({ accounts }: Access) => accounts.records.of<TokenRecord>("token");

/** Users and API tokens with rights to some VMs alone. */
export function grantCoversOf(access: Access): Cover[] {
  const users = [...access.accounts.users.values()].map((
    { name, grants },
  ) => ({ kind: "user", name, grants } as const));
  const tokens = [...tokensOf(access).values()].map((
    { name, grants },
  ) => ({ kind: "API token", name, grants } as const));
  return [...users, ...tokens].map(({ kind, name, grants }): Cover => ({
    kind,
    name,
    targets: targetsOfGrants(grants),
  }))
    .filter(({ targets: { vmIds, groups } }) => vmIds.length + groups.length > 0);
}

/** The field of what grants are on and that is not there now: VMs, groups and hosts. @param isHost whether there is one */
export function uncoveredBy(
  grants: readonly Grant[],
  coverage: Pick<Coverage, "uncovered">,
  isHost: (hostId: string) => boolean,
): { readonly uncovered?: string[] } {
  const { uncovered = [] } = coverage.uncovered(targetsOfGrants(grants));
  const hosts = grants.flatMap(({ on }) => on.kind === "host" && !isHost(on.host) ? [on.host] : []);
  const gone = [...uncovered, ...hosts.map((host) => `the host ${oneLine(host, LONGEST)}`)];
  return gone.length === 0 ? {} : { uncovered: gone };
}

/** Longest name of a host that is told. */
const LONGEST = 60;

/**
 * Another VM has the id: rights that were given for the former VM do not hold for it.
 *
 * @returns the rights that ended, each as a noun: `the rights of ann`
 * @throws {ContractError} StoreUnavailable
 */
export const releaseVmGrants = (access: Access, vmId: string): string[] =>
  release(access, ({ on }) => on.kind === "vm" && on.vmId === vmId);

/**
 * A host was removed, or a new one has the id: rights to it were given for the one before.
 *
 * @returns the rights that ended, each as a noun: `the rights of ann`
 * @throws {ContractError} StoreUnavailable
 */
export const releaseHostGrants = (access: Access, hostId: string): string[] =>
  release(access, ({ on }) => on.kind === "host" && on.host === hostId);

/**
 * A project was deleted: rights that were given on it end.
 *
 * @returns the rights that ended, each as a noun: `the rights of ann`
 * @throws {ContractError} StoreUnavailable
 */
export const releaseProject = (access: Access, projectId: string): string[] =>
  release(access, ({ on }) => on.kind === "project" && on.project === projectId);

/**
 * Removes grants.
 *
 * @returns the rights that ended, each as a noun: `the rights of ann`
 * @throws {ContractError} StoreUnavailable
 */
function release(access: Access, isOn: (grant: Grant) => boolean): string[] {
  const { accounts, credentials } = access, released: string[] = [];
  const without = (grants: readonly Grant[]) => grants.filter((grant) => !isOn(grant));
  for (const user of [...accounts.users.values()].filter(({ grants }) => grants.some(isOn))) {
    accounts.save({ ...user, grants: without(user.grants) });
    credentials.interrupt([user.id]);
    released.push(`the rights of ${user.name}`);
  }
  for (const [key, token] of [...tokensOf(access)].filter(([, { grants }]) => grants.some(isOn))) {
    const record = { ...token, grants: without(token.grants) };
    accounts.records.commit([{ kind: "token", key, record }]);
    credentials.interrupt([token.userId]);
    released.push(`the rights of the API token ${token.name}`);
  }
  return released;
}
