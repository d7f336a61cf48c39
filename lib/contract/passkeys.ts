/** Passkeys: keys of a device or a security key that sign in instead of a password or in addition to it (WebAuthn level 3). */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, NO_OUTER_BLANK, NOTHING_IN, NOTHING_OUT, oneOf, SECRET, Timestamp } from "./schema.ts";
import { PRESENT_ERRORS, PresentPassword, SignInStep } from "./access.ts";

const Bytes = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: "^[A-Za-z0-9_-]+$", description });
const PasskeyId = Type.String({ minLength: 1, maxLength: 64, description: "id of the passkey" });
const PasskeyName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f]+$`,
});
const TRANSPORTS = ["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"] as const;

export const Passkey = Type.Object({
  id: Type.String(),
  name: Type.String(),
  site: Type.String({ description: "the host name it is good for" }),
  synced: Type.Boolean({ description: "kept by a password manager, not by one device alone" }),
  createdAt: Timestamp,
  lastUsedAt: Type.Union([Timestamp, Type.Null()]),
});
export type Passkey = Static<typeof Passkey>;

const Described = Type.Object({
  type: oneOf(["public-key"]),
  id: Type.String(),
  transports: Type.Array(oneOf(TRANSPORTS)),
});

/** Argument of `navigator.credentials.create()`, bytes as base64url. */
export const PasskeyCreation = Type.Object({
  challenge: Type.String(),
  rp: Type.Object({ id: Type.String(), name: Type.String() }),
  user: Type.Object({ id: Type.String(), name: Type.String(), displayName: Type.String() }),
  pubKeyCredParams: Type.Array(Type.Object({ type: oneOf(["public-key"]), alg: Type.Integer() })),
  timeout: Type.Integer(),
  excludeCredentials: Type.Array(Described),
  authenticatorSelection: Type.Object({
    residentKey: oneOf(["required"]),
    requireResidentKey: Type.Boolean(),
    userVerification: oneOf(["required"]),
  }),
  attestation: oneOf(["none"]),
});
export type PasskeyCreation = Static<typeof PasskeyCreation>;

/** Argument of `navigator.credentials.get()`, bytes as base64url. */
export const PasskeyRequest = Type.Object({
  challenge: Type.String(),
  rpId: Type.String(),
  timeout: Type.Integer(),
  allowCredentials: Type.Array(Described, { description: "empty: the device knows which it has" }),
  userVerification: oneOf(["required", "preferred"]),
});
export type PasskeyRequest = Static<typeof PasskeyRequest>;

/** Answer of a new passkey, bytes as base64url. */
export const PasskeyAttestation = closed({
  id: Bytes(1400, "the credential's id"),
  clientDataJSON: Bytes(4096, "what the browser has signed for"),
  attestationObject: Bytes(16_384, "the key"),
  transports: Type.Optional(Type.Array(oneOf(TRANSPORTS), { maxItems: 8 })),
});
export type PasskeyAttestation = Static<typeof PasskeyAttestation>;

/** Answer of a passkey to a challenge, bytes as base64url. */
export const PasskeyAssertion = closed({
  id: Bytes(1400, "the credential's id"),
  clientDataJSON: Bytes(4096, "what the browser has signed for"),
  authenticatorData: Bytes(4096, "what the passkey says"),
  signature: Bytes(8192, "of both"),
  userHandle: Type.Optional(Bytes(128, "whose it is")),
});
export type PasskeyAssertion = Static<typeof PasskeyAssertion>;

const Challenge = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 128,
    description: "of sign_in: the passkey is its second factor; without it, it is all there is",
    ...SECRET,
  }),
);

const OWN = { role: "viewer", permission: "signed-in", withoutLibvirt: true } as const;
const OPEN = { role: "viewer", permission: "anyone", withoutLibvirt: true } as const;

export const passkeyCommands = {
  begin_reauthentication: command({
    ...OWN,
    summary: "Begin to confirm with a passkey that it is oneself: gives what the browser asks the device",
    input: NOTHING_IN,
    output: PasskeyRequest,
    errors: ["NoAccount", "PasskeyRefused", "PasskeyNeedsName", "WrongDoor", "StoreUnavailable"],
    route: "POST /session/confirm/begin",
    cli: ["session", "confirm-begin"],
    readOnly: false,
  }),
  reauthenticate: command({
    ...OWN,
    summary: "Confirm that it is oneself, by the present password or a passkey",
    description:
      "For five minutes this session may then do what opens the door: make tokens, change how one signs in, and, for " +
      "administrators, change users and roles. API tokens and root are not asked.",
    input: closed({
      password: PresentPassword,
      assertion: Type.Optional({ ...PasskeyAssertion, ...SECRET }),
    }),
    output: Type.Object({ confirmedUntil: Timestamp }),
    errors: ["NoAccount", "WrongDoor", "StoreUnavailable", ...PRESENT_ERRORS],
    route: "POST /session/confirm",
    cli: ["session", "confirm"],
    exampleFields: ["password"],
    readOnly: false,
  }),
  begin_passkey: command({
    ...OWN,
    summary: "Begin to add a passkey: gives what the browser asks the device",
    input: closed({ password: PresentPassword }),
    output: PasskeyCreation,
    errors: ["NoAccount", "PasskeyNeedsName", "WrongDoor", "StoreUnavailable", ...PRESENT_ERRORS],
    route: "POST /account/passkeys/begin",
    cli: ["account", "passkey", "begin"],
    readOnly: false,
  }),
  add_passkey: command({
    ...OWN,
    summary: "Add the passkey that the device made",
    description: "From then on a password alone opens nothing. The first second factor gives recovery codes.",
    input: closed({ name: PasskeyName, attestation: { ...PasskeyAttestation, ...SECRET } }),
    output: Type.Object({ passkey: Passkey, recoveryCodes: Type.Array(Type.String(), SECRET) }),
    errors: ["NoAccount", "PasskeyRefused", "SignInExpired", "WrongDoor", "StoreUnavailable"],
    route: "POST /account/passkeys",
    cli: ["account", "passkey", "add", "<name>"],
    readOnly: false,
  }),
  list_passkeys: command({
    ...OWN,
    summary: "List one's own passkeys",
    input: NOTHING_IN,
    output: Type.Array(Passkey),
    errors: ["NoAccount", "StoreUnavailable"],
    route: "GET /account/passkeys",
    cli: ["account", "passkey", "list"],
    columns: ["name", "site", "synced", "createdAt", "lastUsedAt"],
    wide: ["id"],
    readOnly: true,
  }),
  rename_passkey: command({
    ...OWN,
    summary: "Call a passkey something else",
    input: closed({ passkeyId: PasskeyId, name: PasskeyName }),
    output: Passkey,
    errors: ["NoAccount", "PasskeyNotFound", "StoreUnavailable"],
    route: "PATCH /account/passkeys/{passkeyId}",
    cli: ["account", "passkey", "rename", "<passkeyId>", "<name>"],
    readOnly: false,
  }),
  remove_passkey: command({
    ...OWN,
    summary: "Remove a passkey: it opens nothing any more",
    input: closed({ passkeyId: PasskeyId, password: PresentPassword }),
    output: NOTHING_OUT,
    errors: ["NoAccount", "PasskeyNotFound", "StoreUnavailable", ...PRESENT_ERRORS],
    route: "POST /account/passkeys/{passkeyId}/remove",
    cli: ["account", "passkey", "remove", "<passkeyId>"],
    destroys: "the passkey",
    readOnly: false,
  }),
  begin_passkey_sign_in: command({
    ...OPEN,
    summary: "Begin to sign in with a passkey: gives what the browser asks the device",
    input: closed({ challenge: Challenge }),
    output: PasskeyRequest,
    errors: ["SignInExpired", "TooManyAttempts", "PasskeyNeedsName", "WrongDoor", "StoreUnavailable"],
    route: "POST /session/passkey/begin",
    cli: ["sign-in-passkey", "begin"],
    readOnly: true,
  }),
  sign_in_with_passkey: command({
    ...OPEN,
    summary: "Sign in with a passkey",
    description:
      "Alone it is both factors: the device asks who it is (PIN, fingerprint). Each challenge is good once, five minutes.",
    input: closed({ challenge: Challenge, assertion: { ...PasskeyAssertion, ...SECRET } }),
    output: SignInStep,
    errors: ["SignInFailed", "SignInExpired", "TooManyAttempts", "WrongDoor", "StoreUnavailable"],
    route: "POST /session/passkey",
    cli: ["sign-in-passkey", "finish"],
    readOnly: false,
  }),
};
