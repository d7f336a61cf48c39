/** Errors: sign-in, accounts, roles and tokens. */
import type { ErrorKind } from "./kind.ts";

export const ACCESS_ERRORS = {
  NotSignedIn: { text: "Sign in first", status: 401, exit: 6 },
  TokenInvalid: {
    text: "The API token is wrong, has expired or was revoked. Create another one.",
    status: 401,
    exit: 6,
  },
  SignInFailed: { text: "Name, password or code is wrong", status: 403, exit: 6 },
  PasswordNeeded: {
    text: "Confirm that it is you first, with your present password or a passkey. It holds for five minutes.",
    status: 403,
    exit: 6,
  },
  SignInExpired: { text: "This sign-in is over. Begin again.", status: 403, exit: 6 },
  TooManyAttempts: {
    text: "Too many attempts. Wait {seconds} seconds, then try again.",
    status: 429,
    exit: 6,
  },
  HostAccount: {
    text: "{name} is an account of the host: change its password and groups there",
    status: 409,
    exit: 5,
  },
  PasskeyNotFound: { text: "Passkey not found: {passkeyId}", status: 404, exit: 4 },
  PasskeyRefused: { text: "The passkey cannot be taken: {reason}", status: 400, exit: 2 },
  PasskeyNeedsName: {
    text: "Passkeys belong to a host name, and {host} is an address. Open KVM Manager by its name, " +
      "or at http://localhost on the host itself (ssh -L).",
    status: 409,
    exit: 5,
  },
  WrongDoor: { text: "Sign in where pages are: this way in has no sessions", status: 400, exit: 2 },
  WeakPassword: {
    text: "Choose another password: {reason}. Several words in a row are good ones.",
    status: 400,
    exit: 2,
  },
  SetupKey: {
    text: "This setup link has expired or was already used. Get a new one as root: kvm-manager setup-link",
    status: 403,
    exit: 6,
  },
  NoAccount: {
    text: "Only a signed-in user can do this, with an account of their own. Sign in on the pages.",
    status: 403,
    exit: 6,
  },
  SecondFactorOn: { text: "One-time codes are on already. Switch them off first.", status: 409, exit: 5 },
  UserNotFound: { text: "User not found: {userId}", status: 404, exit: 4 },
  UserExists: { text: "User name already exists: {name}", status: 409, exit: 5 },
  LastAdministrator: {
    text: "{name} is the last administrator who can sign in. Make another one first.",
    status: 409,
    exit: 5,
  },
  SessionNotFound: { text: "Session not found: {sessionId}", status: 404, exit: 4 },
  NotByToken: {
    text:
      "An API token cannot change the SSH keys of its account: they come into new VMs. Sign in, and set them there.",
    status: 403,
    exit: 6,
  },
  TokenNotFound: { text: "API token not found: {tokenId}", status: 404, exit: 4 },
  RoleNotFound: { text: "Role not found: {role}", status: 404, exit: 4 },
  RoleExists: { text: "Role already exists: {role}", status: 409, exit: 5 },
  RoleBuiltIn: { text: "The role {role} is built in and stays as it is", status: 409, exit: 5 },
  RoleInUse: { text: "The role {role} is granted to {who}. Take it away there first.", status: 409, exit: 5 },
  PermissionNotGrantable: {
    text: "{permission} is no permission that a role of one's own may have",
    status: 400,
    exit: 2,
  },
} as const satisfies Record<string, ErrorKind>;
