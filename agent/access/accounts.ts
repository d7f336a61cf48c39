/** Users and roles: who there is, and what they may do. */
import { type Message, message, render } from "../../lib/i18n/message.ts";
import type { Clock } from "../clock.ts";
import { PERMISSIONS, permissionsOf } from "../../lib/access/permissions.ts";
import { weakness } from "../../lib/access/password.ts";
import { layerOf, type OwnRoles, type Rights } from "../../lib/access/rights.ts";
import {
  ContractError,
  type Grant,
  type Input,
  type Role,
  type RoleInfo,
  ROLES,
  type User,
} from "../../lib/contract/mod.ts";
import type { RecordChange, Records } from "../store/records.ts";
import type { PasswordHashes } from "./hashing.ts";
import type { HostAccount } from "./host_accounts.ts";
import { type RoleRecord, shownRole, shownUser, type TokenRecord, type UserRecord } from "./records.ts";

/** Names that stand for somebody else in the audit. */
const RESERVED: ReadonlySet<string> = new Set([
  "root",
  "local",
  "libvirt",
  "nobody",
  "anonymous",
  "demo",
  "kvm-manager",
]);

const DESCRIPTIONS: Readonly<Record<Role, Message>> = {
  viewer: message`Sees VMs, storage and networks`,
  operator: message`Starts, stops, changes and opens the consoles of VMs; works with volumes and networks`,
  administrator: message`Everything, host and users included: as good as root`,
};

let known: Promise<ReadonlySet<string>> | undefined;

/** Passwords that attackers try, most of a million leaks. Read when a password is first set, not at every start. */
function breachedPasswords(): Promise<ReadonlySet<string>> {
  known ??= import("@zxcvbn-ts/language-common").then(({ dictionary }) =>
    new Set((dictionary["passwords-common"] as readonly string[]).map((each) => String(each)))
  );
  return known;
}

/** Whether a user has a password, here or on the host. */
const hasPassword = ({ password, host }: Pick<UserRecord, "password" | "host">): boolean =>
  password !== undefined || host === true;

/** Whether somebody may do everything. */
const hasAll = ({ grants }: UserRecord): boolean =>
  grants.some(({ role, on }) => role === "administrator" && on.kind === "everything");

export class Accounts {
  /** Told of an account of the host that ended because its name is another person's by now. Set by the feature. */
  onReplaced: ((before: UserRecord, uid: number) => void) | undefined;
  /**
   * Bound of an automation account, in addition to its grants; undefined for other accounts. Set by the
   * feature of profiles.
   */
  boundOf: (userId: string) => Rights[number] | undefined = () => undefined;
  #roles: OwnRoles | undefined;
  readonly #layers = new WeakMap<readonly Grant[], Rights[number]>();
  /** Ids of accounts that the host has refused in this run, whether that could be written or not. */
  readonly #refusedNow = new Set<string>();

  /**
   * @param onChanged told of users whose rights are not what they were
   * @param takesHost whether accounts of the host may sign in
   */
  constructor(
    readonly records: Records,
    private readonly onChanged: (userIds: readonly string[]) => void,
    private readonly clock: Clock,
    private readonly hashes: PasswordHashes,
    private readonly takesHost: boolean,
  ) {}

  /**
   * Whether what an account has (password, passkeys, sessions, API tokens) counts now. That of an account of the host does
   * only while such accounts are taken, and the host has not refused it.
   */
  isOpen({ id, disabled, host, refused }: Pick<UserRecord, "id" | "disabled" | "host" | "refused">): boolean {
    const isRefused = refused === true || this.#refusedNow.has(id);
    return !disabled && (host !== true || (this.takesHost && !isRefused));
  }

  /** Whether somebody is an administrator who can sign in. */
  #isAdministrator(user: UserRecord): boolean {
    return this.isOpen(user) && hasPassword(user) && hasAll(user) && this.boundOf(user.id) === undefined;
  }

  /** The hash of a new password. @throws {ContractError} WeakPassword, TooManyRequests */
  async acceptPassword(password: string, about: readonly string[]): Promise<string> {
    const breached = await breachedPasswords();
    const reason = [...password].length > 256
      ? "it is longer than 256 characters"
      : weakness(password, about, (each) => breached.has(each));
    if (reason !== null) throw new ContractError("WeakPassword", { reason });
    return await this.hashes.hash(password);
  }

  get users(): ReadonlyMap<string, UserRecord> {
    return this.records.of<UserRecord>("user");
  }

  /** @throws {ContractError} UserNotFound */
  user(userId: string): UserRecord {
    const found = this.users.get(userId);
    if (!found) throw new ContractError("UserNotFound", { userId });
    return found;
  }

  named(name: string): UserRecord | undefined {
    for (const user of this.users.values()) if (user.name === name) return user;
  }

  /** Whether there is an administrator who can sign in; undefined while that cannot be known. */
  get hasAdministrator(): boolean | undefined {
    if (!this.records.isLoaded) return undefined;
    return [...this.users.values()].some((user) => this.#isAdministrator(user));
  }

  /** Whether any user has a password, disabled ones included; undefined while that cannot be known. */
  get hasPasswords(): boolean | undefined {
    return this.records.isLoaded ? [...this.users.values()].some(hasPassword) : undefined;
  }

  /** Rights of an account: by its grants, and for an automation account also by its bound. */
  rightsOf({ id, grants }: Pick<UserRecord, "id" | "grants">): Rights {
    const bound = this.boundOf(id), layer = this.layer(grants);
    return bound === undefined ? [layer] : [layer, bound];
  }

  /** Rights by a list of grants. */
  layer(grants: readonly Grant[]): Rights[number] {
    const found = this.#layers.get(grants);
    if (found) return found;
    this.#roles ??= new Map(
      [...this.records.of<RoleRecord>("role")].map(([name, { permissions }]) => [name, new Set(permissions)]),
    );
    const layer = layerOf(grants, this.#roles);
    this.#layers.set(grants, layer);
    return layer;
  }

  /** Groups that grants name. */
  grantedGroups(): ReadonlySet<string> {
    const all = [...this.users.values(), ...this.records.of<TokenRecord>("token").values()];
    return new Set(
      all.flatMap(({ grants }) => grants.flatMap(({ on }) => on.kind === "group" ? [on.group] : [])),
    );
  }

  /** @throws {ContractError} RoleNotFound */
  requireRoles(grants: readonly Grant[]): void {
    const own = this.records.of<RoleRecord>("role");
    const unknown = grants.find(({ role }) => !(ROLES as readonly string[]).includes(role) && !own.has(role));
    if (unknown) throw new ContractError("RoleNotFound", { role: unknown.role });
  }

  /** @throws {ContractError} UserExists, RoleNotFound, WeakPassword, StoreUnavailable */
  async create(input: Input<"create_user">): Promise<UserRecord> {
    this.records.require();
    const { name, displayName = "", password, grants = [] } = input;
    this.requireRoles(grants);
    const free = () => {
      if (RESERVED.has(name) || this.named(name)) throw new ContractError("UserExists", { name });
    };
    free();
    const hash = password === undefined ? undefined : await this.acceptPassword(password, [name]);
    free(); // hashing takes a while
    const user: UserRecord = {
      id: crypto.randomUUID(),
      name,
      displayName,
      grants,
      recovery: [],
      disabled: false,
      createdAt: this.clock.now(),
      lastSignInAt: null,
      ...(hash !== undefined && { password: hash }),
    };
    this.save(user);
    return user;
  }

  /** @throws {ContractError} UserNotFound, RoleNotFound, WeakPassword, LastAdministrator, StoreUnavailable */
  async update({ userId, password, ...change }: Input<"update_user">): Promise<UserRecord> {
    this.records.require();
    this.requireRoles(change.grants ?? []);
    const { name, host } = this.user(userId);
    if (host && (password !== undefined || change.grants !== undefined)) {
      throw new ContractError("HostAccount", { name });
    }
    const hash = password === undefined ? undefined : await this.acceptPassword(password, [name]);
    const user: UserRecord = {
      ...this.user(userId),
      ...change,
      ...(hash !== undefined && { password: hash }),
    };
    this.#keepOneAdministrator(user);
    this.save(user);
    this.onChanged([userId]);
    return user;
  }

  /** Removes a user with what is theirs. @throws {ContractError} UserNotFound, LastAdministrator, StoreUnavailable */
  delete(userId: string): void {
    this.records.require();
    this.#keepOneAdministrator({ ...this.user(userId), disabled: true });
    this.records.commit(this.#removal(userId));
    this.onChanged([userId]);
  }

  /** Takes a user out of the records, with the sessions and API tokens. */
  #removal(userId: string): RecordChange[] {
    const theirs = (kind: string): RecordChange[] =>
      [...this.records.of<{ userId: string }>(kind)]
        .filter(([, record]) => record.userId === userId)
        .map(([key]) => ({ kind, key, record: null }));
    return [...theirs("session"), ...theirs("token"), { kind: "user", key: userId, record: null }];
  }

  /**
   * The account of somebody whom the host has let in: made the first time, its rights as the host's groups say. Another uid
   * is another person: the account that had the name ends, with its sessions, API tokens, passkeys and one-time codes.
   *
   * @throws {ContractError} StoreUnavailable
   */
  ofHost(name: string, { uid, grants }: HostAccount): UserRecord {
    const found = this.named(name);
    if (found !== undefined) this.#refusedNow.delete(found.id);
    const isOther = found?.hostUid !== undefined && found.hostUid !== uid;
    const before = isOther ? undefined : found;
    const user: UserRecord = before ?? {
      id: crypto.randomUUID(),
      name,
      displayName: "",
      recovery: [],
      disabled: false,
      lastSignInAt: null,
      createdAt: this.clock.now(),
      host: true,
      grants,
    };
    const isSame = before?.hostUid === uid && JSON.stringify(before.grants) === JSON.stringify(grants);
    if (before && isSame && !before.refused) return before;
    const { refused: _refused, ...rest } = user, after = { ...rest, grants, hostUid: uid };
    this.records.commit([
      ...isOther ? this.#removal(found.id) : [],
      { kind: "user", key: after.id, record: after },
    ]);
    if (found) this.onChanged([found.id]);
    if (isOther) this.onReplaced?.(found, uid);
    return after;
  }

  /**
   * The host refuses an account: what it has opens nothing until the host takes it again, also while that cannot be written.
   *
   * @throws {ContractError} StoreUnavailable
   */
  refuseOfHost(userId: string): void {
    const user = this.user(userId);
    this.#refusedNow.add(userId);
    this.onChanged([userId]);
    this.save({ ...user, refused: true });
  }

  /** Whether a name may be somebody's who is of the host. */
  mayBeOfHost(name: string): boolean {
    return !RESERVED.has(name) && (this.named(name)?.host ?? !this.named(name));
  }

  /** Writes a user. @throws {ContractError} StoreUnavailable */
  save(user: UserRecord, more: readonly RecordChange[] = []): void {
    this.records.commit([{ kind: "user", key: user.id, record: user }, ...more]);
  }

  /** Refuses to remove the last administrator, which would lock out all users. */
  #keepOneAdministrator(user: UserRecord): void {
    const before = this.user(user.id);
    if (!this.#isAdministrator(before) || this.#isAdministrator(user)) return;
    const others = [...this.users.values()].filter(({ id }) => id !== user.id);
    if (others.some((other) => this.#isAdministrator(other))) return;
    throw new ContractError("LastAdministrator", { name: user.name });
  }

  /** A user as it is shown. */
  shown(user: UserRecord): User {
    return { ...shownUser(user), ...(!user.disabled && !this.isOpen(user) && { refused: true }) };
  }

  list(): User[] {
    this.records.require();
    return [...this.users.values()].map((user) => this.shown(user)).sort((a, b) =>
      a.name.localeCompare(b.name)
    );
  }

  roles(): RoleInfo[] {
    this.records.require();
    const builtIn = ROLES.map((role) => ({
      role,
      builtIn: true,
      description: render(DESCRIPTIONS[role]),
      permissions: [...permissionsOf(role)],
    }));
    return [
      ...builtIn,
      ...[...this.records.of<RoleRecord>("role")].map(([name, role]) => shownRole(name, role)),
    ];
  }

  /** @throws {ContractError} RoleExists, RoleNotFound, RoleBuiltIn, PermissionNotGrantable, StoreUnavailable */
  putRole({ role, description, permissions }: Input<"update_role">, isNew: boolean): RoleInfo {
    this.records.require();
    const before = this.records.of<RoleRecord>("role").get(role);
    const isBuiltIn = (ROLES as readonly string[]).includes(role);
    if (isNew && (before || isBuiltIn)) throw new ContractError("RoleExists", { role });
    if (isBuiltIn) throw new ContractError("RoleBuiltIn", { role });
    if (!isNew && !before) throw new ContractError("RoleNotFound", { role });
    const wrong = permissions.find((each) => !PERMISSIONS.get(each)?.grantable);
    if (wrong !== undefined) throw new ContractError("PermissionNotGrantable", { permission: wrong });
    const record: RoleRecord = {
      description: description ?? before?.description ?? "",
      permissions: [...new Set(permissions)],
    };
    this.records.commit([{ kind: "role", key: role, record }]);
    this.#rolesChanged(role);
    return shownRole(role, record);
  }

  /** @throws {ContractError} RoleNotFound, RoleBuiltIn, RoleInUse, StoreUnavailable */
  deleteRole(role: string): void {
    this.records.require();
    if ((ROLES as readonly string[]).includes(role)) throw new ContractError("RoleBuiltIn", { role });
    if (!this.records.of("role").has(role)) throw new ContractError("RoleNotFound", { role });
    const [user] = this.#holders(role);
    if (user !== undefined) throw new ContractError("RoleInUse", { role, who: this.user(user).name });
    this.records.commit([{ kind: "role", key: role, record: null }]);
    this.#rolesChanged(role);
  }

  /** Everything was read again from the database. */
  reloaded(): void {
    this.#roles = undefined;
  }

  /** Ids of users who have a role, themselves or by a token. */
  #holders(role: string): string[] {
    const has = ({ grants }: { readonly grants: readonly Grant[] }) =>
      grants.some((each) => each.role === role);
    return [
      ...[...this.users.values()].filter(has).map(({ id }) => id),
      ...[...this.records.of<TokenRecord>("token").values()].filter(has).map(({ userId }) => userId),
    ];
  }

  #rolesChanged(role: string): void {
    this.#roles = undefined;
    // Layers are remembered by the list of grants: with new lists they are made again.
    for (const userId of new Set(this.#holders(role))) {
      const user = this.user(userId);
      this.records.note("user", userId, { ...user, grants: [...user.grants] });
    }
    for (const [key, token] of this.records.of<TokenRecord>("token")) {
      this.records.note("token", key, { ...token, grants: [...token.grants] });
    }
    this.onChanged([...new Set(this.#holders(role))]);
  }
}
