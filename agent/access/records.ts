/** Records of users, roles, sessions and tokens, and their form in answers. */
import type {
  Grant,
  Passkey,
  PasskeyAttestation,
  RoleInfo,
  Session,
  Token,
  User,
} from "../../lib/contract/mod.ts";
import type { Moment } from "../clock.ts";
import type { Unread } from "../sealing/sealed_values.ts";

/** A passkey of a user. */
export interface PasskeyRecord {
  readonly id: string;
  readonly name: string;
  /** The credential's id and its public key (COSE): base64url. */
  readonly credential: string;
  readonly publicKey: string;
  /** How often it has signed, as it says; 0 for those that do not count. */
  readonly counter: number;
  readonly transports: readonly PasskeyTransport[];
  /** The host name it was made for (RP id). */
  readonly site: string;
  readonly synced: boolean;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}
export type PasskeyTransport = NonNullable<PasskeyAttestation["transports"]>[number];

/** A user, by id. */
export interface UserRecord {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly disabled: boolean;
  readonly grants: readonly Grant[];
  readonly createdAt: number;
  readonly lastSignInAt: number | null;
  /** In which time zone its pages show moments: `host`, `browser` or a name; missing: as `browser`. */
  readonly timeZone?: string;
  /** The language of its pages, by its tag; missing, or `browser`: the one that the browser accepts. */
  readonly language?: string;
  /** An account of the host: PAM knows its password, its groups say what it may, at each sign-in. */
  readonly host?: true;
  /** Of an account of the host: its uid when it signed in last. Missing in records of before uids were kept. */
  readonly hostUid?: number;
  /** Of an account of the host: the host refuses it, so that nothing it has signs in until the host takes it again. */
  readonly refused?: true;
  /** Of `hashPassword()`. */
  readonly password?: string;
  /** Base32, and the last step of it that was used. */
  readonly totp?: {
    /** Missing where it cannot be read now: then no code is right. */
    readonly secret?: string;
    readonly lastStep: number;
    readonly unread?: Unread;
  };
  readonly passkeys?: readonly PasskeyRecord[];
  /** Hashes of the devices' secrets and networks that it signed in from, the newest first. */
  readonly devices?: readonly string[];
  readonly networks?: readonly string[];
  /** Hashes of the recovery codes that are left. */
  readonly recovery: readonly string[];
}

/** A session, by the hash of its secret. */
export interface SessionRecord {
  readonly id: string;
  readonly userId: string;
  readonly begun: Moment;
  readonly used: Moment;
  readonly address: string;
  readonly client: string;
}

/** A token, by the hash of its secret. */
export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly userId: string;
  readonly grants: readonly Grant[];
  readonly begun: Moment;
  readonly livesMs: number;
  readonly lastUsedAt: number | null;
  readonly lastUsedFrom: string | null;
}

/** A role, by its name. */
export interface RoleRecord {
  readonly description: string;
  readonly permissions: readonly string[];
}

/** Whether a password alone opens nothing. */
export function hasSecondFactor({ totp, passkeys = [] }: UserRecord): boolean {
  return totp !== undefined || passkeys.length > 0;
}

/** A passkey as it is shown. */
export function shownPasskey({ id, name, site, synced, createdAt, lastUsedAt }: PasskeyRecord): Passkey {
  return { id, name, site, synced, createdAt, lastUsedAt };
}

/** A user as it is shown: without what opens anything. */
export function shownUser(user: UserRecord): User {
  const { id, name, displayName, disabled, grants, createdAt, lastSignInAt } = user;
  return {
    id,
    name,
    displayName,
    disabled,
    createdAt,
    lastSignInAt,
    grants: [...grants],
    hasPassword: user.password !== undefined || user.host === true,
    host: user.host === true,
    secondFactor: hasSecondFactor(user),
    oneTimeCodes: user.totp !== undefined,
    passkeys: user.passkeys?.length ?? 0,
    recoveryCodesLeft: user.recovery.length,
  };
}

/** A session as it is shown. */
export function shownSession(
  session: SessionRecord,
  { userName, current, endsAt }: Pick<Session, "userName" | "current" | "endsAt">,
): Session {
  const { id, userId, address, client } = session;
  return {
    id,
    userId,
    userName,
    current,
    address,
    client,
    endsAt,
    createdAt: session.begun.wall,
    lastUsedAt: session.used.wall,
  };
}

/** A token as it is shown. */
export function shownToken(token: TokenRecord, userName: string): Token {
  const { id, name, userId, grants, lastUsedAt, lastUsedFrom } = token;
  return {
    id,
    name,
    userId,
    userName,
    lastUsedAt,
    lastUsedFrom,
    grants: [...grants],
    createdAt: token.begun.wall,
    expiresAt: token.begun.wall + token.livesMs,
  };
}

/** A role of one's own as it is shown. */
export function shownRole(role: string, { description, permissions }: RoleRecord): RoleInfo {
  return { role, builtIn: false, description, permissions: [...permissions] };
}
